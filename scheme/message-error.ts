/** Why a device's message is refused: the reasons that its dead letter can have before the API is asked. */
export type ReasonCode =
  | "PAYLOAD_NOT_UTF8" // the payload has to be text and its bytes are not UTF-8
  | "ENVELOPE_NOT_JSON" // the payload is not one JSON text (RFC 8259)
  | "ENVELOPE_TOO_DEEP" // arrays and objects nest deeper than we follow
  | "ENVELOPE_SHAPE" // JSON, but not `{"header":{…},"body":…}`
  | "ENVELOPE_DUPLICATE_KEY" // an envelope key or a header field twice: readers would disagree on which one counts
  | "HEADER_NAME_INVALID" // a header name that HTTP does not have (RFC 9110 §5.1)
  | "HEADER_VALUE_INVALID" // a header value with characters that cannot travel in one (RFC 9110 §5.5)
  | "HEADERS_TOO_LARGE" // more header fields, or more bytes of them, than an HTTP server can be expected to read
  | "MESSAGE_ID_INVALID" // the device's Idempotency-Key is empty, too long or not visible ASCII
  | "MESSAGE_ID_REUSED" // a message id that came before, now with another body
  | "PROPERTIES_TOO_LARGE" // more MQTT 5 user properties, content type or correlation data than AWS IoT Core carries
  | "DEVICE_ID_INVALID" // the topic's identity level is not a device id
  | "TOPIC_TOO_DEEP" // more slashes than AWS IoT Core takes
  | "TOPIC_TOO_LONG" // more bytes than AWS IoT Core takes
  | "TOPIC_RESERVED" // begins with $, where AWS IoT Core has topics of its own
  | "PAYLOAD_TOO_LARGE" // more bytes than AWS IoT Core takes
  | "COMMAND_INVALID" // an envelope that is no command: its header does not say which, when and of what kind
  | "REPLY_INVALID" // a reply whose header does not say to which command, or how it went
  | "COMMAND_UNKNOWN" // a reply to a command that the ledger does not have, or has for another device
  | "TOPIC_NOT_ROUTED"; // no route of the scheme has this topic

/**
 * A device's message that can never be delivered: the fault is in the message, so trying again is no use.
 *
 * Its message names what is wrong and the limit, and never repeats a header's value, which may be a credential.
 */
export class MessageError extends Error {
  override readonly name = "MessageError";
  readonly code: ReasonCode;

  constructor(code: ReasonCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const shownCharacters = 64;

/** A device's text as it may stand in a message or a log: quoted, escaped to printable ASCII, and cut short. */
export function quote(text: string): string {
  const ascii = JSON.stringify(text.slice(0, shownCharacters)).replace(/[^ -~]/g, escapeUnit);
  return text.length > shownCharacters ? `${ascii}… (${text.length} characters)` : ascii;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
