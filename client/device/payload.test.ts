import { expect, test } from "vitest";
import { openMessage } from "../../scheme/envelope/open-message.ts";
import { encodePayload, withMessageId } from "./payload.ts";

test.for([
  ["an object", { lat: 52.5 }, '{"lat":52.5}', "application/json"],
  ["text", "hi", "hi", "text/plain; charset=utf-8"],
  ["bytes", new Uint8Array([0, 255]), "\0\xff", "application/octet-stream"],
  ["nothing", undefined, "null", "application/json"],
] as const)("the API gets %s as it is", ([, body, text, contentType]) => {
  const opened = openMessage({ payload: encodePayload({ body }) }, { overridden: new Set() });
  expect(Buffer.from(opened.body).toString("latin1")).toBe(text);
  expect(opened.contentType).toBe(contentType);
});

test("a message has an id of its own where its author gave none", () => {
  const ids = [1, 2].map(() => withMessageId({ body: 1 }).header?.["Idempotency-Key"]);
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(ids[1]).not.toBe(ids[0]);
  const own = { header: { "idempotency-key": "trip-7" }, body: 1 };
  expect(withMessageId(own)).toBe(own);
});

test.for([
  [{ header: { "a b": "1" }, body: 1 }, "HEADER_NAME_INVALID"],
  [{ header: { a: "1\n2" }, body: 1 }, "HEADER_VALUE_INVALID"],
  [{ header: { "Idempotency-Key": "" }, body: 1 }, "MESSAGE_ID_INVALID"],
  [{ body: 1n }, "MESSAGE_INVALID"],
  [{ body: "x".repeat(131_072 - 22) }, "MESSAGE_INVALID"], // a byte more than AWS IoT Core takes
] as const)("refuses what would never reach the API, case %#: %s", ([message, code]) => {
  expect(() => encodePayload(message)).toThrow(expect.objectContaining({ code }));
});

test("takes a payload of 128 KiB", () => {
  expect(encodePayload({ body: "x".repeat(131_072 - 23) })).toHaveLength(131_072);
});
