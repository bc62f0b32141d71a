import type { Refusal } from "../../../scheme/frame/frame.ts";
import type { IngestSource } from "../../../scheme/ingest.ts";
import type { DeadLetters, LetterToPut } from "../../store/dead-letters.ts";
import { letterOf } from "../opened-message.ts";
import type { Report } from "../report.ts";
import type { OpenedMember } from "./open-member.ts";

export interface RefusedOptions {
  readonly deadLetters: Pick<DeadLetters, "put">;
  readonly report: Pick<Report, "refused" | "deadLettered">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A member that IoT Core would not take by itself, so that the relay has not tried. */
export type RefusedMember = OpenedMember<IngestSource> & { readonly refusal: Refusal };

export function isRefused<Member extends OpenedMember<IngestSource>>(member: Member): member is Member & RefusedMember {
  return member.refusal !== undefined;
}

/** Whether a member stands for its message: of one that comes in parts the first does. */
export function isCounted({ refusal }: Pick<OpenedMember, "refusal">): boolean {
  return refusal === undefined || refusal.part === 0;
}

/** Writes down as dead letters what the relay refused. Writing it down again changes nothing. @throws where it cannot. */
export async function recordRefused(members: readonly RefusedMember[], options: RefusedOptions): Promise<void> {
  const { deadLetters, report, now } = options;
  if (members.length === 0) return;
  await deadLetters.put(members.map((member) => ({ ...refusedLetter(member, now()), attempts: [] })));
  for (const { routeName, id, refusal } of members.filter(isCounted)) {
    report.refused(routeName, { code: refusal.reason, message: refusal.detail }, { messageId: id });
    report.deadLettered(routeName);
  }
}

/** The dead letter of what the relay refused, or the part of it that this is. */
export function refusedLetter(member: RefusedMember, at: number): Omit<LetterToPut, "attempts"> {
  const { message, refusal } = member;
  const { reason, detail, part, parts } = refusal;
  const letter = { ...letterOf(member, at), reason, detail };
  if (parts === 1) return letter;
  const payload = Buffer.from(message.data, "base64");
  return { ...letter, message: JSON.stringify({ ...message, data: "" }), part: { part, parts, payload } };
}
