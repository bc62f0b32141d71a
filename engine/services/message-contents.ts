/** A character that SQS does not take: none of XML 1.0 §2.2. */
const refused = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Whether SQS takes the text as the body of a message. */
export function isMessageText(text: string): boolean {
  return !refused.test(text);
}
