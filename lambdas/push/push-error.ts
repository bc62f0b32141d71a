import type { ProblemCode } from "./problems.ts";

/** One fault of a request's body. */
export interface Fault {
  /** JSON pointer in a URI fragment (RFC 6901 §6), `#/expiresIn`; `#` is the body itself. */
  readonly pointer: string;
  readonly detail: string;
}

export interface PushErrorOptions extends ErrorOptions {
  readonly faults?: readonly Fault[];
  /** Of the answer, beside those that every problem document has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is answered with a problem document. Its message is the document's `detail`, for the caller's eyes. */
export class PushError extends Error {
  override readonly name = "PushError";
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, { faults = [], headers = {}, ...options }: PushErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.faults = faults;
    this.headers = headers;
  }
}
