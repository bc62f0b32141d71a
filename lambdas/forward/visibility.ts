import type { SQSClient } from "@aws-sdk/client-sqs";

/** A received message that shall become visible again at another time than its queue's visibility timeout says. */
export interface VisibilityChange {
  /** Of the queue that it was received from. */
  readonly queueArn: string;
  readonly receiptHandle: string;
  /** From now on; 0 for at once. */
  readonly seconds: number;
}

/** Most entries of an SQS batch. */
const batchEntries = 10;

let client: SQSClient | undefined;

/** The client for SQS, loaded when something has failed for the first time. */
export async function sqsClient(): Promise<SQSClient> {
  const { SQSClient } = await import("@aws-sdk/client-sqs");
  client ??= new SQSClient({
    // The URLs of queues name AWS's own host, also where another endpoint answers for it.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  return client;
}

/**
 * Changes when messages become visible again. A change that fails is told and nothing more: the message then comes back
 * at the end of its queue's visibility timeout.
 */
export async function changeVisibility(
  changes: readonly VisibilityChange[],
  onError: (error: unknown) => void,
): Promise<void> {
  const byQueue = Map.groupBy(changes, ({ queueArn }) => queueArn);
  await Promise.all([...byQueue].map(([queueArn, entries]) => changeInQueue(queueUrl(queueArn), entries, onError)));
}

async function changeInQueue(
  QueueUrl: string,
  changes: readonly VisibilityChange[],
  onError: (error: unknown) => void,
): Promise<void> {
  const { ChangeMessageVisibilityBatchCommand } = await import("@aws-sdk/client-sqs");
  const sqs = await sqsClient();
  for (let begin = 0; begin < changes.length; begin += batchEntries) {
    const Entries = changes.slice(begin, begin + batchEntries).map(({ receiptHandle, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }));
    try {
      const { Failed = [] } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      for (const { Code, Message } of Failed) onError(new Error(`${Code}: ${Message}`));
    } catch (error) {
      onError(error);
    }
  }
}

/** `arn:aws:sqs:eu-central-1:123456789012:name` as the URL that SQS knows the queue by. */
export function queueUrl(arn: string): string {
  const [, partition, , region, account, name] = arn.split(":");
  return `https://sqs.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}/${account}/${name}`;
}
