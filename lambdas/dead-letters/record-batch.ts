import type { SQSRecord } from "aws-lambda";
import { type BatchAnswer, settleEach } from "../settle-each.ts";
import type { Attempt, AttemptLog } from "../store/attempt-log.ts";
import type { DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { type LetterDraft, type ToDeadLettersOptions, toDeadLetters } from "./to-dead-letters.ts";

export interface RecordBatchOptions extends Omit<ToDeadLettersOptions, "now"> {
  readonly deadLetters: Pick<DeadLetters, "put">;
  readonly attemptLog: Pick<AttemptLog, "read">;
  /** Told of each dead letter that is recorded, */
  readonly onRecorded: (letter: DeadLetter) => void;
  /** and of what went wrong: a message that is not recorded comes again. */
  readonly onError: (error: unknown, messageId: string | undefined) => void;
  readonly now?: () => number;
}

/** Writes the messages of the dead-letter queue down, each settled alone. */
export async function recordBatch(records: readonly SQSRecord[], options: RecordBatchOptions): Promise<BatchAnswer> {
  const { deadLetters, onRecorded, onError, now = Date.now } = options;
  const drafts = records.map((record) => toDeadLetters(record, { ...options, now: now() }));
  const attempts = await readAttempts(drafts.flat(), options);
  const record = async (_: SQSRecord, index: number) => {
    const letters = (drafts[index] ?? []).map((draft) => ({ ...draft, attempts: attempts.get(draft.id) ?? [] }));
    await deadLetters.put(letters);
    for (const letter of letters) if ((letter.part?.part ?? 0) === 0) onRecorded(letter);
    return "done" as const;
  };
  return await settleEach(records, record, onError);
}

async function readAttempts(
  drafts: readonly LetterDraft[],
  { attemptLog, onError }: RecordBatchOptions,
): Promise<ReadonlyMap<string, readonly Attempt[]>> {
  try {
    return await attemptLog.read([...new Set(drafts.map(({ id }) => id))]);
  } catch (error) {
    onError(error, undefined); // a dead letter without its attempts is better than none
    return new Map();
  }
}
