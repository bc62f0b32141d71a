import type { ReceivedMessage } from "./in-flight-messages.ts";

/**
 * SQS's own attributes of a message.
 *
 * Differs from SQS in one thing: the first receipt is not remembered, this one's time stands for it.
 */
export function systemAttributes({ receiveCount, sentAt, receivedAt }: ReceivedMessage) {
  return {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(sentAt),
    SenderId: "iot.amazonaws.com",
    ApproximateFirstReceiveTimestamp: String(receivedAt),
  };
}
