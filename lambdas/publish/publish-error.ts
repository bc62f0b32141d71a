export type PublishErrorCode =
  | "BROKER_UNREACHABLE" // no connection, or one that was lost before the acknowledgement
  | "BROKER_TIMEOUT" // no acknowledgement in the time given
  | "BROKER_REFUSED" // the broker said no: credentials, permissions, quotas, a payload that is too large
  | "BROKER_THROTTLED"; // the broker takes it later

/** A message that a broker has not acknowledged. Whether it has it all the same nobody knows, but for `BROKER_REFUSED`. */
export class PublishError extends Error {
  override readonly name = "PublishError";
  readonly code: PublishErrorCode;
  /** The broker's name in the ledger. */
  readonly broker: string;

  constructor(code: PublishErrorCode, broker: string, message: string, options?: ErrorOptions) {
    super(`${broker}: ${message}`, options);
    this.code = code;
    this.broker = broker;
  }

  /** Whether the same message may be taken later. */
  get isRetryable(): boolean {
    return this.code !== "BROKER_REFUSED";
  }
}
