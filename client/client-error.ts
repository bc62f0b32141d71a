export type ClientErrorCode =
  | "CLIENT_INVALID" // what the caller gave is no URL, topic name or topic filter
  | "CLIENT_UNREACHABLE" // no connection could be made
  | "CLIENT_REFUSED" // the broker said no: to the connection, the subscription or the message
  | "CLIENT_TIMEOUT" // no answer in the time given
  | "CLIENT_DISCONNECTED" // the connection was lost, and there is no other one or this was lost with two of them
  | "CLIENT_OVERFLOW" // a subscription's reader was so slow that its buffer is full
  | "CLIENT_CLOSED"; // its owner has closed the client

export interface ClientErrorOptions extends ErrorOptions {
  /** The broker's, MQTT 5 §2.4 or MQTT 3.1.1 §3.2.2.3. */
  readonly reasonCode?: number | undefined;
}

const retryableCodes: ReadonlySet<ClientErrorCode> = new Set([
  "CLIENT_UNREACHABLE",
  "CLIENT_TIMEOUT",
  "CLIENT_DISCONNECTED",
]);

/**
 * Reason codes with which a broker refuses now what it may take later: server unavailable (MQTT 3.1.1 and 5), server
 * busy, message rate too high, quota exceeded, connection rate exceeded.
 */
const retryableReasons: ReadonlySet<number> = new Set([0x03, 0x88, 0x89, 0x96, 0x97, 0x9f]);

/** A call that came to nothing. Whether the broker has the message all the same is known for `CLIENT_REFUSED` only. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  readonly reasonCode: number | undefined;

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.reasonCode = options.reasonCode;
  }

  /** Whether the same call may succeed later. */
  get isRetryable(): boolean {
    if (this.code === "CLIENT_REFUSED") return this.reasonCode !== undefined && retryableReasons.has(this.reasonCode);
    return retryableCodes.has(this.code);
  }
}
