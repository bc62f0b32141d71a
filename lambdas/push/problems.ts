/** What a kind of problem is, and what its caller can do about it. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
}

/** Why a request is refused, or was not done as it should be. The codes are part of the interface. */
export const problems = {
  BODY_NOT_JSON: { status: 400, title: "The body is not JSON", remedy: "Send one JSON text in UTF-8 (RFC 8259)." },
  DEVICE_ID_INVALID: {
    status: 400,
    title: "Not a device id",
    remedy: "A device id has 1 to 128 characters of A–Z a–z 0–9 : _ -.",
  },
  EXPIRY_INVALID: {
    status: 400,
    title: "The command cannot expire like that",
    remedy: "A request takes expiresIn, 1 to 604,800 seconds; a state never expires.",
  },
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    title: "The Idempotency-Key is no key",
    remedy: "Send 1 to 255 characters of visible ASCII, such as a UUID.",
  },
  REQUEST_INVALID: {
    status: 400,
    title: "The request is not as the API wants it",
    remedy: "See `errors` for each fault, and the OpenAPI document for what is wanted.",
  },
  TOPIC_INVALID: {
    status: 400,
    title: "Not a topic name",
    remedy: "A topic name has no wildcards, control characters or empty levels, 256 bytes and 7 slashes at most.",
  },
  WAIT_INVALID: { status: 400, title: "Not a time to wait", remedy: "wait is a whole number of seconds, 0 to 25." },
  TOPIC_FORBIDDEN: {
    status: 403,
    title: "The topic is not for publishing",
    remedy: "Publish on a topic of one of the scheme's feeds.",
  },
  NOT_FOUND: {
    status: 404,
    title: "There is no such thing",
    remedy: "Check the path; commands are forgotten 7 days after their end.",
  },
  METHOD_NOT_ALLOWED: { status: 405, title: "The path has no such method", remedy: "Use one of those in Allow." },
  IDEMPOTENCY_KEY_IN_USE: {
    status: 409,
    title: "The first request with this key is still running",
    remedy: "Send the same request again after Retry-After seconds.",
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    title: "The message is larger than brokers take",
    remedy: "Make it smaller: 131,072 bytes is the limit, the envelope around it included.",
  },
  TOO_MANY_TARGETS: {
    status: 413,
    title: "Too many devices in one call",
    remedy: "Send several calls of at most 1,000 devices.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: "The body's media type is not JSON",
    remedy: "Send Content-Type: application/json.",
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: "The key belongs to another request",
    remedy: "Use a new key for each request, and the same one only to send the same again.",
  },
  INTERNAL_ERROR: {
    status: 500,
    title: "Something is wrong here",
    remedy: "Send the request again with the same Idempotency-Key; tell whoever operates this if it stays.",
  },
  BROKER_UNAVAILABLE: {
    status: 503,
    title: "A broker has not acknowledged the message",
    remedy: "Send the request again; other brokers may have the message already.",
  },
  LEDGER_UNAVAILABLE: {
    status: 503,
    title: "The ledger of commands does not answer",
    remedy: "Send the request again with the same Idempotency-Key: what was recorded is not recorded twice.",
  },
  OUT_OF_TIME: {
    status: 503,
    title: "There was no time left for this device",
    remedy:
      "Send the request again with the same Idempotency-Key, which goes on with those that are left; or fewer devices.",
  },
  REPLY_TIMEOUT: {
    status: 504,
    title: "The device has not answered in time",
    remedy: "Ask for the command later: an answer that comes late is kept.",
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemCode = keyof typeof problems;

/** All codes, in the order of their statuses. */
export const problemCodes = Object.keys(problems) as readonly ProblemCode[];

/** The `type` of a problem document (RFC 9457 §3.1.1): a name, not a place. */
export function problemType(code: ProblemCode): string {
  return `urn:trestle:problem:${code}`;
}
