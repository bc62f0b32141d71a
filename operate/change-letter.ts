import type { AttemptLog } from "../lambdas/store/attempt-log.ts";
import type { DeadLetter, DeadLetters } from "../lambdas/store/dead-letters.ts";
import type { IngestSources } from "../scheme/ingest.ts";
import type { Change } from "./change-each.ts";
import type { States } from "./dead-letters-options.ts";
import { toReplay } from "./replayable.ts";

export interface ChangeLetterOptions {
  readonly deadLetters: Pick<DeadLetters, "get" | "mark">;
  /** States that a record is taken out of. */
  readonly states: States;
  readonly isDryRun: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface ReplayLetterOptions extends ChangeLetterOptions {
  readonly sources: IngestSources;
  readonly attemptLog: Pick<AttemptLog, "write">;
  /** Puts a message into the queue that it is tried again from. */
  readonly send: (route: string, body: string) => Promise<void>;
}

/**
 * After so long a replay that has begun and not ended was killed, and may be taken over: between beginning and sending
 * are three calls at the most, each over within half a minute (`deployment.ts`).
 */
const takeOverMs = 120_000;

/**
 * Replays a dead letter: notes that it is being replayed, sends it, notes that it is replayed.
 *
 * At least once, like all of the way: killed before the send, the record is taken over two minutes later by the next
 * replay; killed after it, likewise, and the message goes out twice with one idempotency key. Only who has changed the
 * state sends, so that of two replays at one time, or one after the other, one does.
 */
export async function replayLetter(id: string, options: ReplayLetterOptions): Promise<Change> {
  const { deadLetters, sources, attemptLog, send, isDryRun } = options;
  const letter = await take(id, options);
  if ("kind" in letter) return letter;
  const replay = toReplay(letter, sources);
  if (replay.kind === "impossible") return { kind: "failed", reason: replay.reason };
  if (isDryRun) return { kind: "done", route: letter.route };
  const replaying = await deadLetters.mark(letter, "replaying");
  if (replaying === undefined) return taken;
  try {
    // The record has its attempts; the replay begins with all of the schedule before it.
    await attemptLog.write(new Map([[id, []]]));
    await send(replay.route, replay.body);
  } catch (error) {
    // So that the next replay need not wait. Where this fails too, it does.
    await deadLetters.mark(replaying, "dead").catch(() => {});
    throw error;
  }
  // Does nothing where the message has died again meanwhile, which made a new record of it.
  await deadLetters.mark(replaying, "replayed");
  return { kind: "done", route: letter.route };
}

/** Notes that a dead letter is not wanted any more. The record stays as long as it would have. */
export async function dropLetter(id: string, options: ChangeLetterOptions): Promise<Change> {
  const letter = await take(id, options);
  if ("kind" in letter) return letter;
  if (!options.isDryRun && (await options.deadLetters.mark(letter, "dropped")) === undefined) return taken;
  return { kind: "done", route: letter.route };
}

const taken: Change = { kind: "skipped", reason: "somebody else has changed it" };

/** The record, or why it is not to be touched. */
async function take(
  id: string,
  { deadLetters, states, now = Date.now }: ChangeLetterOptions,
): Promise<DeadLetter | Change> {
  const letter = await deadLetters.get(id);
  if (letter === undefined) return { kind: "failed", reason: "there is no such dead letter" };
  const { state, stateAt } = letter;
  if (states !== "all" && !states.has(state)) return { kind: "skipped", reason: `it is ${state} already` };
  if (state === "replaying" && now() - stateAt < takeOverMs) return { kind: "skipped", reason: "a replay has it" };
  return letter;
}
