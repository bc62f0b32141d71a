import type { Refusal } from "../../../scheme/frame/frame.ts";
import type { DeadLetter, DeadLetters } from "../../store/dead-letters.ts";
import { letterOf } from "../opened-message.ts";
import type { Report } from "../report.ts";
import type { OpenedMember } from "./open-member.ts";

export interface RefusedOptions {
  readonly deadLetters: Pick<DeadLetters, "put" | "putPart">;
  readonly report: Pick<Report, "refused" | "deadLettered">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A member that IoT Core would not take by itself, so that the relay has not tried. */
export type RefusedMember = OpenedMember & { readonly refusal: Refusal };

export function isRefused(member: OpenedMember): member is RefusedMember {
  return member.refusal !== undefined;
}

/** Whether a member stands for its message: of one that comes in parts the first does. */
export function isCounted({ refusal }: OpenedMember): boolean {
  return refusal === undefined || refusal.part === 0;
}

/** Writes down as dead letters what the relay refused. Writing it down again changes nothing. @throws where it cannot. */
export async function recordRefused(members: readonly RefusedMember[], options: RefusedOptions): Promise<void> {
  const { deadLetters, report, now } = options;
  const whole = members.filter(({ refusal }) => refusal.parts === 1);
  if (whole.length > 0) await deadLetters.put(whole.map((member) => toLetter(member, now())));
  for (const member of members) {
    const { message, refusal } = member;
    if (refusal.parts === 1) continue;
    const body = JSON.stringify({ ...message, data: "" });
    const payload = Buffer.from(message.data, "base64");
    await deadLetters.putPart(toLetter({ ...member, body }, now()), { ...refusal, payload });
  }
  for (const { routeName, id, refusal } of members.filter(isCounted)) {
    report.refused(routeName, { code: refusal.reason, message: refusal.detail }, { messageId: id });
    report.deadLettered(routeName);
  }
}

function toLetter(member: RefusedMember, at: number): DeadLetter {
  const { reason, detail } = member.refusal;
  return { ...letterOf(member, at), reason, detail, attempts: [] };
}
