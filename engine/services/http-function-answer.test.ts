import { expect, test } from "vitest";
import { answerOf, functionFailed } from "./http-function-answer.ts";

const json = { "content-type": "application/json" };
const text = { "content-type": "text/plain; charset=utf-8" };

test.for([
  ["an object", { a: 1 }, { status: 200, headers: json, body: '{"a":1}' }],
  ["a string", "Hello", { status: 200, headers: json, body: "Hello" }],
  ["nothing", null, { status: 200, headers: json, body: "null" }],
  ["a list", [1], { status: 200, headers: json, body: "[1]" }],
  ["a status", { statusCode: 202 }, { status: 202, headers: text, body: "" }],
  ["a status in text", { statusCode: "202", body: "x" }, { status: 202, headers: text, body: "x" }],
  [
    "fields and cookies",
    { statusCode: 200, headers: { "Content-Type": "a/b", "X-N": 1 }, cookies: ["a=1", "b=2"], body: "x" },
    { status: 200, headers: { "content-type": "a/b", "x-n": "1", "set-cookie": ["a=1", "b=2"] }, body: "x" },
  ],
  [
    "fields of the connection",
    { statusCode: 200, headers: { "Content-Length": "1", "transfer-encoding": "chunked", Connection: "close" } },
    { status: 200, headers: text, body: "" },
  ],
  ["base64", { statusCode: 200, body: "/wA=", isBase64Encoded: true }, { body: Buffer.from([0xff, 0x00]) }],
  ["no status of HTTP", { statusCode: 42 }, functionFailed],
  ["an informational status", { statusCode: 101 }, functionFailed],
  ["a status that is none", { statusCode: "abc" }, functionFailed],
  ["a body that is no text", { statusCode: 200, body: { a: 1 } }, functionFailed],
  ["fields that are none", { statusCode: 200, headers: "x" }, functionFailed],
  ["a field with a line break", { statusCode: 200, headers: { a: "b\r\nc: d" } }, functionFailed],
  ["a field without a name", { statusCode: 200, headers: { "": "b" } }, functionFailed],
  ["a cookie with a line break", { statusCode: 200, cookies: ["a=1\n"] }, functionFailed],
] as const)("%s is understood", ([, answer, expected]) => {
  expect(answerOf(JSON.stringify(answer))).toMatchObject(expected);
});

test("digits of a body stay as the function wrote them", () => {
  expect(answerOf('{"n":1.0,"m":12345678901234567890}').body).toBe('{"n":1.0,"m":12345678901234567890}');
});
