import type { StoredMessage } from "./queue-table.ts";

/** What a receipt handle says: which message, and which time that it was received. */
export interface ReceiptHandle extends Pick<StoredMessage, "id" | "messageId" | "receiveCount"> {
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

/** @param nonce Tells apart the deliveries of a message that came twice at a time. */
export function receiptHandle({ id, receiveCount, receivedAt, messageId }: ReceiptHandle, nonce: number): string {
  return `${id}:${receiveCount}:${receivedAt}:${nonce}:${messageId}`;
}

/** Undefined where the text is no receipt handle. */
export function parseReceiptHandle(text: string): ReceiptHandle | undefined {
  const [, id, receiveCount, receivedAt, messageId] = /^(\d+):(\d+):(\d+):\d+:(\S+)$/.exec(text) ?? [];
  if (id === undefined || messageId === undefined) return undefined;
  return { id: Number(id), receiveCount: Number(receiveCount), receivedAt: Number(receivedAt), messageId };
}
