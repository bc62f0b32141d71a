/** What the listener refuses by itself, before an API's routes are looked at. */
export type ProblemCode =
  | "BAD_REQUEST" // no request that one could answer otherwise, or one of two meanings
  | "REQUEST_TIMEOUT" // a request that does not end
  | "PAYLOAD_TOO_LARGE" // a body beyond API Gateway's limit, or an event beyond Lambda's
  | "RATE_LIMITED"; // more requests than the stage lets through

/** An answer of the listener or of an API. */
export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

const titles = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
} as const;

export type ProblemStatus = keyof typeof titles;

/** An answer as an RFC 9457 problem document. API Gateway's own body would be `{"message":"Too Many Requests"}`. */
export function problem(
  status: ProblemStatus,
  code: ProblemCode,
  detail: string,
  headers: HttpAnswer["headers"] = {},
): HttpAnswer {
  const document = { type: `urn:trestle:problem:${code}`, title: titles[status], status, detail, code };
  return {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
    body: JSON.stringify(document),
  };
}

/** An answer in API Gateway's own form. */
export function gatewayMessage(status: number, message: string, headers: HttpAnswer["headers"] = {}): HttpAnswer {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ message }) };
}

/** A whole answer as it goes over a connection that has no request which could be answered. */
export function onTheWire({ status, headers, body }: HttpAnswer): string {
  const fields = { ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${titles[status as ProblemStatus] ?? ""}\r\n${lines.join("")}\r\n${body}`;
}
