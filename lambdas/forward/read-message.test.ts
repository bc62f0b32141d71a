import { expect, test } from "vitest";
import { parseIngestMessage, readIngestMessage } from "./read-message.ts";
import { ingestMessage } from "./test-message.ts";

test("reads what a topic rule writes", () => {
  const message = ingestMessage({ userProperties: [{ a: "1" }], payloadFormat: "UTF8_DATA", correlationData: "eA==" });
  expect(parseIngestMessage(JSON.stringify(message))).toEqual(message);
});

test("does without a trace id, which only MQTT has", () => {
  const { traceId, ...message } = ingestMessage();
  expect(traceId).toBeDefined();
  expect(readIngestMessage(message)).toEqual(message);
});

test.for([
  ["no object", 1],
  ["nothing", null],
  ["no payload", { ...ingestMessage(), data: undefined }],
  ["a payload that is no text", { ...ingestMessage(), data: { lat: 1 } }],
  ["a time that is none", { ...ingestMessage(), receivedAt: 1e20 }],
  ["a property that is no text", { ...ingestMessage(), userProperties: [{ a: 1 }] }],
  ["what an error action writes", { ruleName: "r", topic: "a/b", base64OriginalPayload: "eA==", failures: [] }],
] as const)("refuses %s", ([, value]) => {
  expect(() => readIngestMessage(value)).toThrow(expect.objectContaining({ code: "TOPIC_NOT_ROUTED" }));
});

test("refuses a body that is not JSON", () => {
  expect(() => parseIngestMessage("{")).toThrow(expect.objectContaining({ code: "TOPIC_NOT_ROUTED" }));
});
