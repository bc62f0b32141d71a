import { sqsClient } from "./visibility.ts";

/** A message for a queue. */
export interface QueuedText {
  readonly body: string;
  /** How long it stays invisible, 0 by default. */
  readonly delaySeconds?: number;
}

/** Sends up to ten messages. @throws where one is not sent; others may be. */
export async function sendBatch(QueueUrl: string, messages: readonly QueuedText[]): Promise<void> {
  const { SendMessageBatchCommand } = await import("@aws-sdk/client-sqs");
  const sqs = await sqsClient();
  const Entries = messages.map(({ body, delaySeconds = 0 }, index) => ({
    Id: String(index),
    MessageBody: body,
    DelaySeconds: delaySeconds,
  }));
  const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  if (Failed.length === 0) return;
  throw new Error(Failed.map(({ Id, Code, Message }) => `message ${Id}: ${Code} ${Message}`).join("; "));
}
