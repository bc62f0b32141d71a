import type { SQSBatchResponse, SQSRecord } from "aws-lambda";

/**
 * What a function that is fed by a queue answers. `dead` is ours: Lambda ignores it, the local engine's ledger tells by
 * it what was delivered from what was given up.
 */
export interface BatchAnswer extends SQSBatchResponse {
  /** Ids of SQS messages that are dead letters now. */
  readonly dead?: readonly string[];
}

/** How many messages came to which end. */
export interface LedgerCounts {
  readonly delivered?: number;
  /** Dead letters now. */
  readonly dead?: number;
  /** QoS 0, and not delivered. */
  readonly dropped?: number;
}

/**
 * What a function answers of frames, whether a topic rule or a queue invoked it: what came of the messages in them, by
 * the name of their route's topic rule, or of the frames' own where they have no route. Those that went into a queue are
 * counted there. It is ours, too: Lambda ignores it.
 */
export interface FrameAnswer {
  readonly ledger: Readonly<Record<string, LedgerCounts>>;
}

/**
 * Settles the messages of a batch side by side, each alone: one that cannot be settled must not hold up the other nine.
 * It is named in the answer as failed, and stays in its queue.
 */
export async function settleEach(
  records: readonly SQSRecord[],
  settle: (record: SQSRecord, index: number) => Promise<"done" | "dead">,
  onError: (error: unknown, messageId: string) => void,
): Promise<BatchAnswer> {
  const dead: string[] = [];
  const failed: string[] = [];
  const settling = records.map(async (record, index) => {
    const { messageId } = record;
    try {
      if ((await settle(record, index)) === "dead") dead.push(messageId);
    } catch (error) {
      failed.push(messageId);
      onError(error, messageId);
    }
  });
  await Promise.all(settling);
  const batchItemFailures = failed.map((itemIdentifier) => ({ itemIdentifier }));
  return dead.length > 0 ? { batchItemFailures, dead } : { batchItemFailures };
}
