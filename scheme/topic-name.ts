import { MessageError, quote } from "./message-error.ts";

/** Slashes in a topic name that AWS IoT Core takes; the prefix of a Basic Ingest topic does not count. */
export const maxTopicSlashes = 7;

/** Bytes of UTF-8 in a topic name that AWS IoT Core takes; the prefix of a Basic Ingest topic does not count. */
export const maxTopicBytes = 256;

/**
 * Refuses a topic name that AWS IoT Core would answer by ending the connection.
 *
 * @throws {MessageError} `TOPIC_TOO_LONG`, `TOPIC_TOO_DEEP`
 * @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html
 */
export function checkTopicName(topic: string): void {
  // A UTF-16 unit is at most 3 bytes of UTF-8: most topics need no count.
  const bytes = topic.length * 3 <= maxTopicBytes ? 0 : Buffer.byteLength(topic);
  if (bytes > maxTopicBytes) {
    throw new MessageError("TOPIC_TOO_LONG", `the topic has ${bytes} bytes of UTF-8, the limit is ${maxTopicBytes}`);
  }
  const slashes = topic.split("/").length - 1;
  if (slashes > maxTopicSlashes) {
    throw new MessageError("TOPIC_TOO_DEEP", `${quote(topic)} has ${slashes} slashes, the limit is ${maxTopicSlashes}`);
  }
}
