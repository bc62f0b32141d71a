import { FrameError } from "../../../scheme/frame/frame-error.ts";
import { MessageError } from "../../../scheme/message-error.ts";
import type { Scheme } from "../../../scheme/scheme.ts";
import type { Attempt, AttemptLog } from "../../store/attempt-log.ts";
import type { DeadLetters } from "../../store/dead-letters.ts";
import type { Settlement } from "../attempt.ts";
import { type Attempted, attemptAll } from "../attempt-all.ts";
import type { Deliver } from "../deliver.ts";
import { ForwardError } from "../failure.ts";
import type { OnlineDevices } from "../online-devices.ts";
import { type OpenedMessage, unknownRoute } from "../opened-message.ts";
import type { Report } from "../report.ts";
import type { RouteGate } from "../route-gate.ts";
import { type IngestedFrame, readFrame } from "./frame-event.ts";
import type { HandedOn } from "./hand-on.ts";
import type { LedgerTally } from "./ledger-tally.ts";
import type { OpenedMember, OpenMember } from "./open-member.ts";
import { isCounted, isRefused, recordRefused } from "./refused-members.ts";

export interface ForwardFrameOptions {
  readonly routes: Scheme["routes"];
  readonly openMember: OpenMember;
  readonly attempt: (opened: OpenedMessage, history: readonly Attempt[]) => Promise<Settlement>;
  /** For what is attempted once. */
  readonly deliver: Deliver;
  readonly gateOf: (route: string) => Pick<RouteGate, "refresh" | "parallelRequests" | "noteDuration" | "settled">;
  /** Keeps messages as they came, those of the routes that want it. */
  readonly keep: (opened: readonly OpenedMessage[]) => Promise<void>;
  readonly attemptLog: Pick<AttemptLog, "write">;
  readonly deadLetters: Pick<DeadLetters, "put">;
  /** Puts messages into the retry queues of their routes. @throws where one is not in its queue. */
  readonly handOn: (messages: readonly HandedOn[]) => Promise<void>;
  readonly report: Report;
  /** Told of devices that send; undefined where nobody wants to know. */
  readonly online?: Pick<OnlineDevices, "heard"> | undefined;
  /** Messages that are under way at one time. */
  readonly parallelRequests: number;
  /** Longest that a request may take, in milliseconds. */
  readonly timeoutMs: number;
  /** What could not be written down, and is not missed. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is to be done with a member; one that is tried no second time may also be gone. */
type MemberSettlement = Settlement | { readonly kind: "dropped" };

/**
 * Left of an invocation's time when no request is begun any more, beside the request's own: dead letters, histories and
 * retry queues, one after the other. After 7 s the clients of DynamoDB and SQS give up.
 */
const writingMs = 3 * 7_000;

/**
 * Forwards the messages of a frame, each settled alone: delivered, a dead letter, or in the retry queue of its route.
 *
 * A message is tried once, and its failure counted, where the frame or its route is QoS 0.
 *
 * @param event What the topic rule of frames has handed over.
 * @param id What the dead letter is called of an event that holds no frame.
 * @param remainingMs What is left of the invocation's time.
 * @throws where something could not be written down: then the frame comes again, and with it what the API has already,
 *   with the same idempotency keys.
 */
export async function forwardFrame(
  event: unknown,
  id: string,
  remainingMs: () => number,
  tally: LedgerTally,
  options: ForwardFrameOptions,
): Promise<void> {
  let frame: IngestedFrame;
  try {
    frame = readFrame(event);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    await recordUnreadable(event, id, error, options);
    tally.add({ routeName: unknownRoute }, "dead");
    return;
  }
  const members = frame.members.map((member) => options.openMember(member, frame.broker));
  await recordRefused(members.filter(isRefused), options);
  const attempted = await forwardMembers(members, frame, remainingMs, options);
  count(members, attempted, tally, options);
}

async function forwardMembers(
  members: readonly OpenedMember[],
  frame: IngestedFrame,
  remainingMs: () => number,
  options: ForwardFrameOptions,
): Promise<readonly Attempted<OpenedMember, MemberSettlement>[]> {
  const { routes, gateOf, keep, online, timeoutMs } = options;
  const wanted = members.filter((member) => !isRefused(member));
  for (const { routed } of wanted) if ("deviceId" in routed) online?.heard(routed);
  const isOnce = ({ routeName }: OpenedMember) => frame.qos === 0 || routes.get(routeName)?.qos === 0;
  const lasting = wanted.filter((member) => !isOnce(member));
  const names = new Set(lasting.map(({ routeName }) => routeName).filter((name) => routes.has(name)));
  const gates = new Map([...names].map((name) => [name, gateOf(name)]));
  await Promise.all([...gates.values()].map((gate) => gate.refresh()));
  try {
    // Nobody else keeps them: their next attempt is not their first.
    await keep(lasting);
    const attempt = async (member: OpenedMember): Promise<MemberSettlement> => {
      const hasTime = remainingMs() >= timeoutMs + writingMs;
      if (isOnce(member)) return await attemptOnce(member, hasTime, options);
      // One at fault needs no time, and may have no route to be handed on to.
      const isAttempted = hasTime || member.routed instanceof MessageError;
      return isAttempted ? await options.attempt(member, []) : { kind: "again", delaySeconds: 0 };
    };
    const attempted = await attemptAll(wanted, { ...options, attempt, gates });
    await writeDown(attempted, options);
    return attempted;
  } finally {
    await Promise.all([...gates.values()].map((gate) => gate.settled()));
  }
}

/** Attempts a message that has no second try. */
async function attemptOnce(
  { routed, routeName, id }: OpenedMember,
  hasTime: boolean,
  { deliver, report }: ForwardFrameOptions,
): Promise<MemberSettlement> {
  const attempt = async () => {
    if (routed instanceof MessageError) return { kind: "refused", error: routed } as const;
    if (hasTime) return await deliver(routed, { id, attempt: 1 });
    return { kind: "failed", error: new ForwardError("INTERNAL", "the invocation's time was over") } as const;
  };
  const outcome = await attempt();
  report.add(routeName, outcome, { messageId: id });
  return { kind: outcome.kind === "delivered" ? "done" : "dropped" };
}

/** Dead letters and histories first, then messages are put off. @throws where one would be lost. */
async function writeDown(
  attempted: readonly Attempted<OpenedMember, MemberSettlement>[],
  { deadLetters, attemptLog, handOn, onError }: ForwardFrameOptions,
): Promise<void> {
  const letters = attempted.flatMap(({ settlement }) => (settlement.kind === "dead" ? [settlement.letter] : []));
  if (letters.length > 0) await deadLetters.put(letters);
  const histories = new Map<string, readonly Attempt[]>();
  const again: HandedOn[] = [];
  for (const { opened, settlement } of attempted) {
    if (settlement.kind !== "again") continue;
    again.push({ route: opened.routeName, body: opened.body, delaySeconds: settlement.delaySeconds });
    if (settlement.attempts !== undefined) histories.set(opened.id, settlement.attempts);
  }
  // Without its history a message is tried once more than it would be; repeating the frame would repeat all of it.
  if (histories.size > 0) await attemptLog.write(histories).catch(onError);
  if (again.length > 0) await handOn(again);
}

/** Told when all is settled, so that a frame that comes again is not counted twice. */
function count(
  members: readonly OpenedMember[],
  attempted: readonly Attempted<OpenedMember, MemberSettlement>[],
  tally: LedgerTally,
  { report }: ForwardFrameOptions,
): void {
  for (const { routeName } of members.filter(isCounted)) report.received(routeName);
  const refused = members.filter(isRefused);
  for (const member of refused.filter(isCounted)) tally.add(member, "dead");
  for (const { opened, settlement } of attempted) {
    if (settlement.kind === "done") tally.add(opened, "delivered");
    else if (settlement.kind !== "again") tally.add(opened, settlement.kind);
  }
  const allWell = refused.length === 0 && attempted.every(({ settlement }) => settlement.kind === "done");
  if (!allWell) report.publish();
  else report.publishNowAndThen();
}

async function recordUnreadable(
  event: unknown,
  id: string,
  { code, message: detail }: FrameError,
  { deadLetters, report, now }: ForwardFrameOptions,
): Promise<void> {
  const message = typeof event === "string" ? event : String(JSON.stringify(event));
  const nothing = { topic: undefined, deviceId: undefined, attempts: [] };
  const at = now();
  await deadLetters.put([
    { id, route: unknownRoute, reason: code, detail, at, message, state: "dead", stateAt: at, ...nothing },
  ]);
  report.received(unknownRoute);
  report.refused(unknownRoute, { code, message: detail }, { messageId: id });
  report.deadLettered(unknownRoute);
  report.publish();
}
