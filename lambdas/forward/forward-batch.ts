import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { IngestMessage } from "../../scheme/ingest.ts";
import type { Deliver } from "./deliver.ts";
import { parseIngestMessage } from "./read-message.ts";
import type { Report } from "./report.ts";

export interface ForwardBatchOptions {
  readonly deliver: Deliver;
  readonly report: Report;
  /** Messages that are under way at one time. */
  readonly parallelRequests: number;
}

/**
 * Forwards the messages of a batch, each settled alone: what is not delivered is named in the answer, so that the
 * queue offers it again, and in the end moves it to the dead letters.
 */
export async function forwardBatch(
  records: readonly SQSRecord[],
  { deliver, report, parallelRequests }: ForwardBatchOptions,
): Promise<SQSBatchResponse> {
  const failed: string[] = [];
  const rest = records.values();
  // Takers of one iterator: each record has one, and a slow request holds up nothing but its own taker.
  const takers = Array.from({ length: Math.min(parallelRequests, records.length) }, async () => {
    for (const record of rest) {
      if (!(await forwardRecord(record, deliver, report))) failed.push(record.messageId);
    }
  });
  await Promise.all(takers);
  // Under load a line for each batch of ten would cost more than their requests; a failure is told at once.
  if (failed.length > 0) report.publish();
  else report.publishNowAndThen();
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Whether the message is done with. */
async function forwardRecord(
  { messageId, body, attributes }: SQSRecord,
  deliver: Deliver,
  report: Report,
): Promise<boolean> {
  const delivery = { id: messageId, attempt: Number(attributes.ApproximateReceiveCount) };
  let message: IngestMessage | undefined;
  const read = (): IngestMessage => {
    message = parseIngestMessage(body);
    return message;
  };
  const outcome = await deliver(read, delivery);
  report.add(message?.route ?? "", outcome, { messageId, topic: message?.topic });
  return outcome.kind === "delivered";
}
