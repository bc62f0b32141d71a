import { expect, test } from "vitest";
import type { ReasonCode } from "../message-error.ts";
import { encodeCommand, encodeReply, readCommand, readReply } from "./command-message.ts";

const issuedAt = Date.parse("2026-01-31T12:00:00.250Z");

test("a state's payload has its version, and the body as it was spelled", () => {
  const body = '{"command":"set","args":{"n":9007199254740993,"f":1.0}}';
  const payload = encodeCommand({ commandId: "c1", kind: "state", version: 1_769_860_800_250, issuedAt, body });
  expect(payload.toString()).toBe(
    `{"header":{"commandId":"c1","kind":"state","version":"1769860800250","issuedAt":"2026-01-31T12:00:00.250Z"},"body":${body}}`,
  );
  expect(readCommand(payload)).toEqual({ commandId: "c1", kind: "state", version: 1_769_860_800_250, issuedAt, body });
});

test("a request's payload says when it expires", () => {
  const command = { commandId: "c1", kind: "request", issuedAt, expiresAt: issuedAt + 60_000, body: "null" } as const;
  expect(readCommand(encodeCommand(command))).toEqual(command);
});

test("header names are compared without regard to case", () => {
  const header = { CommandID: "c1", KIND: "request", issuedat: "2026-01-31T12:00:00Z" };
  const payload = Buffer.from(JSON.stringify({ header, body: 1 }));
  expect(readCommand(payload)).toMatchObject({ commandId: "c1", kind: "request", body: "1" });
});

const header = { commandId: "c1", kind: "state", version: "1", issuedAt: "2026-01-31T12:00:00Z" };

test.for([
  ["no id", { ...header, commandId: undefined }, "header 'commandId' is missing"],
  ["an id with a space", { ...header, commandId: "c 1" }, "header 'commandId' is \"c 1\""],
  ["an id of 129 characters", { ...header, commandId: "x".repeat(129) }, "(129 characters)"],
  ["another kind", { ...header, kind: "wish" }, "header 'kind' is \"wish\", not state or request"],
  ["a version that is no whole number", { ...header, version: "1e3" }, "not a whole number"],
  ["a version past 2^53", { ...header, version: "9007199254740993" }, "not a whole number"],
  ["no time", { ...header, issuedAt: undefined }, "header 'issuedAt' is missing"],
  ["a time that is none", { ...header, issuedAt: "2026-13-01T00:00:00Z" }, "not a time of ISO 8601"],
] as const)("refuses a command with %s", ([, fields, message]) => {
  const payload = Buffer.from(JSON.stringify({ header: fields, body: {} }));
  const code: ReasonCode = "COMMAND_INVALID";
  expect(() => readCommand(payload)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

test.for([
  ["JSON", '{"n":9007199254740993}', '{"n":9007199254740993}'],
  ["text", '"done"', '"done"'],
  ["text that looks like a number", '"5"', '"5"'],
  ["nothing", "null", "null"],
] as const)("a reply comes with its body: %s", ([, body, read]) => {
  const payload = encodeReply({ commandId: "c1", status: "succeeded", body });
  expect(readReply({ payload })).toEqual({ commandId: "c1", status: "succeeded", body: read });
});

test.for([
  ['{"n":1.0}', '{"n":1.0}'],
  ["done", '"done"'],
  ["", "null"],
  ["\xff", '"/w=="'], // bytes that are no text, in base64
] as const)("a reply with user properties has the payload %j as its body", ([payload, body]) => {
  const userProperties = [
    ["commandId", "c1"],
    ["status", "failed"],
  ] as const;
  const message = { payload: Buffer.from(payload, "latin1"), userProperties };
  expect(readReply(message)).toEqual({ commandId: "c1", status: "failed", body });
});

test.for([
  ['{"header":{"status":"succeeded"},"body":1}', "REPLY_INVALID"],
  ['{"header":{"commandId":"c1"},"body":1}', "REPLY_INVALID"],
  ['{"header":{"commandId":"c1","status":"maybe"},"body":1}', "REPLY_INVALID"],
  ["{", "ENVELOPE_NOT_JSON"],
  ["", "ENVELOPE_NOT_JSON"],
] as const)("refuses the reply %s with %s", ([payload, code]) => {
  expect(() => readReply({ payload: Buffer.from(payload) })).toThrow(expect.objectContaining({ code }));
});
