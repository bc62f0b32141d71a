import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { openMessage } from "./open-message.ts";
import type { DeviceMessage } from "./properties.ts";

const open = (message: Partial<DeviceMessage>, ...overridden: string[]) =>
  openMessage({ payload: Buffer.from('{"header":{},"body":1}'), ...message }, { overridden: new Set(overridden) });

const payload = (text: string) => ({ payload: Buffer.from(text) });

test("opens an envelope", () => {
  const header = '{"Host":"evil","Idempotency-Key":"m1","Authorization":"Bearer t"}';
  expect(open(payload(`{"header":${header},"body":{"n": 1.0}}`))).toEqual({
    headers: [
      ["authorization", "Bearer t"],
      ["content-type", "application/json"],
    ],
    stripped: ["host"],
    messageId: "m1",
    body: Buffer.from('{"n": 1.0}'),
    contentType: "application/json",
  });
});

test("opens a plain payload with user properties", () => {
  expect(open({ ...payload("\0{"), userProperties: [["Idempotency-Key", "m1"]], contentType: "image/png" })).toEqual({
    headers: [["content-type", "image/png"]],
    stripped: [],
    messageId: "m1",
    body: Buffer.from("\0{"),
    contentType: "image/png",
  });
});

test("an envelope beside user properties is a body", () => {
  const { body } = open({ userProperties: [["x-a", "1"]] });
  expect(Buffer.from(body).toString()).toBe('{"header":{},"body":1}');
});

test.for([
  [{}, "application/json"],
  [payload('{"header":{},"body":"x"}'), "text/plain; charset=utf-8"],
  [payload('{"header":{},"body":"\\ud800"}'), "application/json"],
  [payload('{"header":{},"body":"AA==","bodyEncoding":"base64"}'), "application/octet-stream"],
  [payload('{"header":{"CONTENT-TYPE":"a/b"},"body":1}'), "a/b"],
  [payload('{"header":{"content-type":"a/b","connection":"content-type"},"body":1}'), "application/json"],
  [{ contentType: "c/d" }, "application/json"], // the property is the envelope's type, not its body's
  [{ userProperties: [] }, "application/json"], // none is no second form
  [{ userProperties: [["x-a", "1"]] }, "application/octet-stream"],
  [{ userProperties: [["x-a", "1"]], payloadFormatIndicator: "UTF8_DATA" }, "text/plain; charset=utf-8"],
  [{ userProperties: [["x-a", "1"]], contentType: "c/d" }, "c/d"],
  [{ userProperties: [["content-type", "a/b"]], contentType: "c/d" }, "a/b"],
] as [Partial<DeviceMessage>, string][])("%j is of type %s, said once", ([message, contentType]) => {
  const opened = open(message);
  expect(opened.contentType).toBe(contentType);
  expect(opened.headers.filter(([name]) => name === "content-type")).toEqual([["content-type", contentType]]);
});

test("the content type is left to api.headers where it sets one", () => {
  const { headers, stripped } = open(payload('{"header":{"content-type":"a/b"},"body":1}'), "content-type");
  expect(headers).toEqual([]);
  expect(stripped).toEqual(["content-type"]);
});
