import { describe, expect, test } from "vitest";
import type { ReasonCode } from "../message-error.ts";
import type { HeaderField } from "./header-field.ts";
import { filterHeaders, foldHeaderName, maxHeaderBytes, maxHeaderFields } from "./header-filter.ts";

const filter = (fields: readonly HeaderField[], ...overridden: string[]) =>
  filterHeaders(fields, { overridden: new Set(overridden.map(foldHeaderName)) });

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test.for([
  ["Authorization", "Bearer t", "authorization", "Bearer t"],
  ["Content-Type", "application/json", "content-type", "application/json"],
  ["x_a", "1", "x_a", "1"], // only compared with `-`, not rewritten
  ["x-a", " \t1 2\t", "x-a", "1 2"], // RFC 9110 §5.5: white space around a value is none of it
  ["x-a", "", "x-a", ""],
  ["url", "http://169.254.169.254/", "url", "http://169.254.169.254/"], // a field like any other
  ["constructor", "1", "constructor", "1"],
  ["traceparent", trace, "traceparent", trace],
  ["hostname", "1", "hostname", "1"], // only the whole name is refused
  ["x-original-filename", "1", "x-original-filename", "1"],
] as const)("%s: %j passes as %s: %j", ([name, value, lower, passed]) => {
  expect(filter([[name, value]])).toEqual({ headers: [[lower, passed]], stripped: [], messageId: undefined });
});

test.for([
  ["Connection", "connection"],
  ["KEEP-ALIVE", "keep-alive"],
  ["TE", "te"],
  ["transfer_encoding", "transfer_encoding"], // as CGI folds it
  ["Host", "host"],
  ["Content-Length", "content-length"],
  ["X-Forwarded-For", "x-forwarded-for"],
  ["x_forwarded_host", "x_forwarded_host"],
  ["X-Forwarded", "x-forwarded"],
  ["X-HTTP-Method", "x-http-method"],
  ["X-Method-Override", "x-method-override"],
  ["X-Original-URL", "x-original-url"],
  ["Proxy", "proxy"],
  ["Set-Cookie", "set-cookie"],
  ["X-Amz-Date", "x-amz-date"],
  ["X-Amzn-Trace-Id", "x-amzn-trace-id"],
  ["X-Device-Id", "x-device-id"],
  ["X_Device_Id", "x_device_id"],
  ["X-Mqtt-Topic", "x-mqtt-topic"],
  ["Webhook-Signature", "webhook-signature"],
  ["Idempotency_Key", "idempotency_key"], // no message id, and nothing that an API would take for ours
  ["traceparent", "traceparent"], // "1" is none
  ["tracestate", "tracestate"], // without its traceparent
] as const)("%s is stripped", ([name, lower]) => {
  expect(filter([[name, "1"]])).toEqual({ headers: [], stripped: [lower], messageId: undefined });
});

test("what Connection names is stripped with it", () => {
  const { headers, stripped } = filter([
    ["X-Secret", "1"],
    ["Connection", "close, x_secret ,"],
    ["x-a", "1"],
  ]);
  expect(headers).toEqual([["x-a", "1"]]);
  expect(stripped).toEqual(["x-secret", "connection"]);
});

test("what api.headers sets is stripped, with either dash", () => {
  const fields = [
    ["Authorization", "Bearer t"],
    ["X_API_Key", "k"],
    ["x-api", "1"],
  ] as const;
  const { headers, stripped } = filter(fields, "Authorization", "X-Api-Key");
  expect(headers).toEqual([["x-api", "1"]]);
  expect(stripped).toEqual(["authorization", "x_api_key"]);
});

test("tracestate passes with a valid traceparent, before or after it", () => {
  const fields = [
    ["tracestate", "a=1"],
    ["traceparent", trace],
  ] as const;
  expect(filter(fields).headers).toEqual(fields);
  expect(
    filter([
      ["tracestate", "a=1"],
      ["traceparent", trace.replace(/b7.*-/, "0000000000000000-")],
    ]).headers,
  ).toEqual([]);
});

test("the device's Idempotency-Key is taken out, whatever Connection says", () => {
  const { headers, stripped, messageId } = filter([
    ["IDEMPOTENCY-KEY", ' "8e03978e-40d5"'],
    ["connection", "idempotency-key"],
  ]);
  expect(messageId).toBe('"8e03978e-40d5"');
  expect(headers).toEqual([]);
  expect(stripped).toEqual(["connection"]);
});

describe("refuses", () => {
  const bigValue = "v".repeat(maxHeaderBytes);
  test.for([
    [[["", "1"]], "HEADER_NAME_INVALID", 'name ""'],
    [[["a:b", "1"]], "HEADER_NAME_INVALID", '"a:b"'],
    [[["x a", "1"]], "HEADER_NAME_INVALID", '"x a"'],
    [[["é", "1"]], "HEADER_NAME_INVALID", '"\\u00e9"'],
    [[["x-a\n", "1"]], "HEADER_NAME_INVALID", '"x-a\\n"'], // `$` of a pattern does not match before it
    [[["__proto__", "1"]], "HEADER_NAME_INVALID", '"__proto__"'],
    [[["x-a", "1\r\nx-evil: 1"]], "HEADER_VALUE_INVALID", "U+000D at 1"],
    [[["x-a", "a\0b"]], "HEADER_VALUE_INVALID", "U+0000 at 1"],
    [[["x-a", "\u007f"]], "HEADER_VALUE_INVALID", "U+007F at 0"],
    [[["x-a", "é"]], "HEADER_VALUE_INVALID", "U+00E9 at 0"],
    [[["x-a", "a😀"]], "HEADER_VALUE_INVALID", "U+1F600 at 1"],
    [[["x-a", "\ud800"]], "HEADER_VALUE_INVALID", "U+D800 at 0"],
    [[["host", "\n"]], "HEADER_VALUE_INVALID", "U+000A at 0"], // stripped or not
    [
      [
        ["x-a", "1"],
        ["X-A", "1"],
      ],
      "ENVELOPE_DUPLICATE_KEY",
      '"x-a"',
    ],
    [[["Idempotency-Key", ""]], "MESSAGE_ID_INVALID", '""'],
    [[["Idempotency-Key", "a b"]], "MESSAGE_ID_INVALID", '"a b"'],
    [[["Idempotency-Key", "k".repeat(256)]], "MESSAGE_ID_INVALID", "(256 characters) is not 1–255"],
    [[["Idempotency-Key", bigValue]], "MESSAGE_ID_INVALID", "8192 characters"], // not HEADERS_TOO_LARGE
    [[["x-a", bigValue]], "HEADERS_TOO_LARGE", "8195 bytes of header fields, limit 8192"],
    [
      Array.from({ length: maxHeaderFields + 1 }, (_, index) => [`x-${index}`, "1"]),
      "HEADERS_TOO_LARGE",
      "65 header fields, limit 64",
    ],
  ] as [HeaderField[], ReasonCode, string][])("%j with %s", ([fields, code, message]) => {
    expect(() => filter(fields)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  test("without repeating a value", () => {
    expect(() => filter([["authorization", "Bearer secret\n"]])).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});

test("takes as much as the limits say", () => {
  const fields = Array.from({ length: maxHeaderFields }, (_, index): HeaderField => [`x${index}`, ""]);
  const names = fields.reduce((sum, [name]) => sum + name.length, 0);
  fields[0] = ["x0", "v".repeat(maxHeaderBytes - names)];
  expect(filter(fields).headers).toHaveLength(maxHeaderFields);
  expect(filter([["idempotency-key", "k".repeat(255)]]).messageId).toHaveLength(255);
});
