import type { SQSRecord } from "aws-lambda";
import type { IngestSources } from "../../scheme/ingest.ts";
import { type BatchAnswer, settleEach } from "../settle-each.ts";
import type { Attempt, AttemptLog } from "../store/attempt-log.ts";
import type { DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { type LetterDraft, toDeadLetter } from "./to-dead-letter.ts";

export interface RecordBatchOptions {
  readonly sources: IngestSources;
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
  const { sources, deadLetters, onRecorded, onError, now = Date.now } = options;
  const drafts = records.map((record) => toDeadLetter(record, sources, now()));
  const attempts = await readAttempts(drafts, options);
  const record = async (_: SQSRecord, index: number) => {
    const draft = drafts[index] as LetterDraft;
    const letter: DeadLetter = { ...draft, attempts: attempts.get(draft.id) ?? [] };
    await deadLetters.put([letter]);
    onRecorded(letter);
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
