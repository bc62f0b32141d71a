import { expect, test } from "vitest";
import { cutEnvelope } from "../scheme/envelope/cut.ts";
import { requestMessage } from "./request-message.ts";

const parts = { id: "i1", replyTopic: "a" };

test.for([
  ["JSON with its digits and spaces", '{ "n": 1.0 }', "json", '{ "n": 1.0 }'],
  ["JSON in bytes", Buffer.from("12345678901234567890"), "json", "12345678901234567890"],
  ["text", 'say "é"', "text", 'say "é"'],
  ["no bytes at all", "", "text", ""],
  ["bytes that are no text", Buffer.from([0xff, 0x00]), "binary", Buffer.from([0xff, 0x00])],
] as const)("an envelope carries %s", ([, payload, bodyKind, body]) => {
  const message = requestMessage("envelope", { ...parts, payload });
  const envelope = cutEnvelope(Buffer.from(message.payload));
  expect(envelope).toMatchObject({ header: [["commandId", "i1"]], bodyKind });
  expect(Buffer.from(envelope.body)).toEqual(Buffer.from(body));
});

test("properties go beside the payload as it is", () => {
  expect(requestMessage("properties", { ...parts, payload: "x" })).toEqual({
    payload: "x",
    properties: { responseTopic: "a", correlationData: Buffer.from("i1"), userProperties: [["commandId", "i1"]] },
  });
});
