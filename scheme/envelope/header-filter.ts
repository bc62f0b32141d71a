import { MessageError, quote } from "../message-error.ts";
import { checkHeaderName, type HeaderField, readHeaderValue } from "./header-field.ts";

/** Header fields of one message: far above what a device needs, far below where HTTP servers stop counting. */
export const maxHeaderFields = 64;

/** Bytes of all names and values: Node's HTTP server answers 431 above 16 KiB, and half of that is for the others. */
export const maxHeaderBytes = 8 * 1024;

/** Characters of a device's message id: with the device's id before it, it still is a short database key. */
export const maxMessageIdLength = 255;

export interface HeaderFilterOptions {
  /** Names that `api.headers` sets, each through {@link foldHeaderName}. */
  readonly overridden: ReadonlySet<string>;
}

export interface FilteredHeaders {
  /** What goes into the request. Names in lower case. */
  readonly headers: readonly HeaderField[];
  /** Names that the device may not set, in lower case, in the device's order. */
  readonly stripped: readonly string[];
  /** The device's own Idempotency-Key, which is taken out: the request carries the one that Trestle makes of it. */
  readonly messageId: string | undefined;
}

/**
 * Fields that a device may not set. A `*` ends a prefix. Names are compared after {@link foldHeaderName}.
 */
const refusedFields = [
  // For one connection only, and ours is another (RFC 9110 §7.6.1); so are those that Connection names.
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  // What the HTTP client decides: where the request goes, where it ends, whether it waits.
  "host",
  "content-length",
  "expect",
  // Who sent it and by which way: APIs and their proxies believe these.
  "forwarded",
  "x-forwarded*",
  "via",
  "x-real-ip",
  "x-client-ip",
  "client-ip",
  "true-client-ip",
  "x-cluster-client-ip",
  "x-originating-ip",
  "x-remote-ip",
  "x-remote-addr",
  "cf-connecting-ip",
  "fastly-client-ip",
  "x-azure-clientip",
  "x-original-forwarded-for",
  "x-envoy-*",
  // Another method or address than the route's.
  "x-http-method*",
  "x-method-override",
  "x-original-url",
  "x-original-uri",
  "x-original-host",
  "x-original-method",
  "x-rewrite-url",
  "proxy", // CGI reads it as HTTP_PROXY, the address of a proxy (CVE-2016-5385)
  // A browser's session, never a device's.
  "cookie",
  "cookie2",
  "set-cookie",
  "set-cookie2",
  // AWS's own: request signatures, trace ids, what API Gateway and load balancers vouch for.
  "x-amz-*",
  "x-amzn-*",
  // Trestle's own.
  "x-device-id",
  "x-mqtt-*",
  "x-received-at",
  "x-attempt",
  "webhook-*",
  "idempotency-key", // spelled Idempotency_Key; the real one was taken out before
];

const refusedNames = new Set(refusedFields.filter((field) => !field.endsWith("*")));
const refusedPrefixes = refusedFields.filter((field) => field.endsWith("*")).map((field) => field.slice(0, -1));

/** W3C Trace Context §3.2; version 00 is the only one that there is. */
const traceparent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const messageIdPattern = /^[!-~]{1,255}$/;

/** A field's name as servers compare it: in lower case, and `_` as `-`, since CGI and its heirs take them for one. */
export function foldHeaderName(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes("_") ? lower.replaceAll("_", "-") : lower;
}

/**
 * Which of a device's header fields go into the request.
 *
 * A field that is no HTTP refuses the message; one that a device may not set is left out. `traceparent` goes through
 * where it is valid, `tracestate` only with it (W3C Trace Context §3.3).
 *
 * @throws MessageError HEADER_NAME_INVALID, HEADER_VALUE_INVALID, ENVELOPE_DUPLICATE_KEY, MESSAGE_ID_INVALID or
 *   HEADERS_TOO_LARGE
 */
export function filterHeaders(fields: readonly HeaderField[], { overridden }: HeaderFilterOptions): FilteredHeaders {
  const values = readFields(fields);
  const perConnection = connectionOptions(values.get("connection"));
  const headers: HeaderField[] = [];
  const stripped: string[] = [];
  for (const [name, value] of values) {
    if (name === "idempotency-key") continue;
    const folded = foldHeaderName(name);
    const isStripped =
      isRefused(folded) || overridden.has(folded) || perConnection.has(folded) || isBrokenTrace(name, values);
    if (isStripped) stripped.push(name);
    else headers.push([name, value]);
  }
  return { headers, stripped, messageId: values.get("idempotency-key") };
}

/** The fields by their names in lower case, each checked. */
function readFields(fields: readonly HeaderField[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let bytes = 0;
  for (const [name, rawValue] of fields) {
    checkHeaderName(name);
    const value = readHeaderValue(name, rawValue);
    const lower = name.toLowerCase();
    if (values.has(lower)) throw new MessageError("ENVELOPE_DUPLICATE_KEY", `header ${quote(lower)} comes twice`);
    if (lower === "idempotency-key") checkMessageId(value);
    values.set(lower, value);
    bytes += name.length + value.length; // ASCII by now
  }
  if (fields.length > maxHeaderFields) throw tooLarge(`${fields.length} header fields, limit ${maxHeaderFields}`);
  if (bytes > maxHeaderBytes) throw tooLarge(`${bytes} bytes of header fields, limit ${maxHeaderBytes}`);
  return values;
}

/**
 * The characters are those of the Idempotency-Key draft's strings without space, quotes being as good as any; length
 * is judged here and not as a part of the whole, so that the reason names the field.
 */
function checkMessageId(value: string): void {
  if (messageIdPattern.test(value)) return;
  throw new MessageError(
    "MESSAGE_ID_INVALID",
    `Idempotency-Key ${quote(value)} is not 1–${maxMessageIdLength} characters of visible ASCII`,
  );
}

function tooLarge(problem: string): MessageError {
  return new MessageError("HEADERS_TOO_LARGE", problem);
}

const none: ReadonlySet<string> = new Set();

/** The fields that `Connection` names: they are for one connection too. */
function connectionOptions(value: string | undefined): ReadonlySet<string> {
  return value === undefined ? none : new Set(value.split(",").map((option) => foldHeaderName(option.trim())));
}

function isRefused(folded: string): boolean {
  return refusedNames.has(folded) || refusedPrefixes.some((prefix) => folded.startsWith(prefix));
}

function isBrokenTrace(name: string, values: ReadonlyMap<string, string>): boolean {
  return (name === "traceparent" || name === "tracestate") && !traceparent.test(values.get("traceparent") ?? "");
}
