import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Scheme } from "../../scheme/scheme.ts";
import type { Attempt, AttemptLog } from "../store/attempt-log.ts";
import type { DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { type LetterDraft, toDeadLetter } from "./to-dead-letter.ts";

export interface RecordBatchOptions {
  readonly routes: Scheme["routes"];
  readonly deadLetters: Pick<DeadLetters, "put">;
  readonly attemptLog: Pick<AttemptLog, "read">;
  /** Told of each dead letter that is recorded, */
  readonly onRecorded: (letter: DeadLetter) => void;
  /** and of what went wrong: a message that is not recorded comes again. */
  readonly onError: (error: unknown, messageId: string | undefined) => void;
  readonly now?: () => number;
}

/** Writes the messages of the dead-letter queue down, each settled alone. */
export async function recordBatch(
  records: readonly SQSRecord[],
  options: RecordBatchOptions,
): Promise<SQSBatchResponse> {
  const { routes, deadLetters, onRecorded, onError, now = Date.now } = options;
  const drafts = records.map((record) => toDeadLetter(record, routes, now()));
  const attempts = await readAttempts(drafts, options);
  const failed: string[] = [];
  // One by one: a record that the table does not take must not hold up the other nine.
  const recording = drafts.map(async (draft, index) => {
    const letter: DeadLetter = { ...draft, attempts: attempts.get(draft.id) ?? [] };
    const { messageId } = records[index] as SQSRecord;
    try {
      await deadLetters.put([letter]);
      onRecorded(letter);
    } catch (error) {
      failed.push(messageId);
      onError(error, messageId);
    }
  });
  await Promise.all(recording);
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
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
