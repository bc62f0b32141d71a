/** Why a request that was made is not done. */
export type FailureCode =
  | "CONNECTION" // no connection, or it broke before the answer's status
  | "TLS_INVALID" // the API's certificate or its TLS is not acceptable
  | "TIMEOUT" // the whole exchange took longer than `api.timeoutMs`
  | "RESPONSE_INVALID" // what came back is not an HTTP answer
  | "INTERNAL" // no request could be made, by our fault or for want of a secret
  | "REDIRECT_REFUSED" // 3xx: a message goes where its route says
  | `HTTP_${number}`; // any other status than 2xx

/** A message that was not delivered. Thrown where the event is the message, reported where it is one of a batch. */
export class ForwardError extends Error {
  override readonly name = "ForwardError";
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Codes of Node and undici, or names where there is no code, that are no broken connection; a `*` ends a prefix. */
const failureCodes: readonly (readonly [code: string, FailureCode])[] = [
  ["UND_ERR_CONNECT_TIMEOUT", "TIMEOUT"],
  ["UND_ERR_INVALID_ARG", "INTERNAL"],
  ["UND_ERR_REQ_*", "INTERNAL"],
  ["HTTPParserError", "RESPONSE_INVALID"],
  ["UND_ERR_HEADERS_OVERFLOW", "RESPONSE_INVALID"],
  ["UND_ERR_RES_*", "RESPONSE_INVALID"],
  ["CERT_*", "TLS_INVALID"],
  ["ERR_TLS_*", "TLS_INVALID"],
  ["ERR_SSL_*", "TLS_INVALID"],
  ["EPROTO", "TLS_INVALID"],
  ["UNABLE_TO_*", "TLS_INVALID"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "TLS_INVALID"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "TLS_INVALID"],
  ["HOSTNAME_MISMATCH", "TLS_INVALID"],
  ["INVALID_CA", "TLS_INVALID"],
];

/** Which failure an error of the HTTP client is. */
export function failureCodeOf(error: Error): FailureCode {
  const isParserError = error.name === "HTTPParserError"; // its code is absent or llhttp's
  const code = !isParserError && "code" in error && typeof error.code === "string" ? error.code : error.name;
  const found = failureCodes.find(([pattern]) =>
    pattern.endsWith("*") ? code.startsWith(pattern.slice(0, -1)) : code === pattern,
  );
  return found?.[1] ?? "CONNECTION";
}

/** Which failure an answer's status is, undefined for success. */
export function failureCodeOfStatus(status: number): FailureCode | undefined {
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400 ? "REDIRECT_REFUSED" : `HTTP_${status}`;
}
