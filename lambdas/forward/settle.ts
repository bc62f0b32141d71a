import type { BatchAnswer } from "../settle-each.ts";
import type { Attempt, AttemptLog } from "../store/attempt-log.ts";
import type { DeadLetters } from "../store/dead-letters.ts";
import type { Settlement } from "./attempt.ts";
import type { Attempted } from "./attempt-all.ts";
import type { OpenedRecord } from "./open-record.ts";
import type { VisibilityChange } from "./visibility.ts";

export interface SettleOptions {
  readonly attemptLog: Pick<AttemptLog, "write">;
  readonly deadLetters: Pick<DeadLetters, "put">;
  readonly changeVisibility: (changes: readonly VisibilityChange[]) => Promise<void>;
  /** What could not be written down; the messages concerned stay in their queue. */
  readonly onError: (error: unknown) => void;
}

export type Settled = Attempted<OpenedRecord, Settlement>;

/** Seconds until the next try where a dead letter could not be written. */
const unwrittenSeconds = 30;

/**
 * Carries out what was decided: histories and dead letters are written first, then messages put off. What is named in
 * the answer as failed stays in its queue.
 */
export async function settle(settled: readonly Settled[], options: SettleOptions): Promise<BatchAnswer> {
  const again: VisibilityChange[] = [];
  const failed: string[] = [];
  const dead: string[] = [];
  const histories = new Map<string, readonly Attempt[]>();
  const letters = settled.filter(({ settlement }) => settlement.kind === "dead");
  const areLettersWritten = await writeLetters(letters, options);
  for (const { opened, settlement } of settled) {
    const { messageId, receiptHandle, eventSourceARN: queueArn } = opened.record;
    if (settlement.kind === "done") continue;
    if (settlement.kind === "dead" && areLettersWritten) {
      dead.push(messageId);
      continue;
    }
    failed.push(messageId);
    const seconds = settlement.kind === "again" ? settlement.delaySeconds : unwrittenSeconds;
    again.push({ queueArn, receiptHandle, seconds });
    if (settlement.kind === "again" && settlement.attempts) histories.set(opened.id, settlement.attempts);
  }
  if (histories.size > 0) await options.attemptLog.write(histories).catch(options.onError);
  if (again.length > 0) await options.changeVisibility(again);
  const batchItemFailures = failed.map((itemIdentifier) => ({ itemIdentifier }));
  return dead.length > 0 ? { batchItemFailures, dead } : { batchItemFailures };
}

async function writeLetters(settled: readonly Settled[], { deadLetters, onError }: SettleOptions): Promise<boolean> {
  const letters = settled.flatMap(({ settlement }) => (settlement.kind === "dead" ? [settlement.letter] : []));
  if (letters.length === 0) return true;
  try {
    await deadLetters.put(letters);
    return true;
  } catch (error) {
    onError(error);
    return false;
  }
}
