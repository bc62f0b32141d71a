import { expect, test } from "vitest";
import { encodeCommand } from "../../scheme/command/command-message.ts";
import { readArrival } from "./arrival.ts";

const issuedAt = Date.parse("2026-01-31T12:00:00Z");
const correlationData = Buffer.from([0, 1, 2]);
const address = { topic: "callers/c7", correlationData };
const properties = { responseTopic: address.topic, correlationData };

test("an envelope is the command that it says", () => {
  const text = '{"command":"set","args":{"n":9007199254740993}}';
  const payload = encodeCommand({ commandId: "c1", kind: "state", version: 7, issuedAt, body: text });
  expect(readArrival({ payload })).toEqual({
    kind: "command",
    command: { id: "c1", kind: "state", version: 7, issuedAt, body: JSON.parse(text), text },
    address: undefined,
  });
});

test("an envelope with a response topic is answered there", () => {
  const payload = encodeCommand({ commandId: "c1", kind: "request", issuedAt, expiresAt: issuedAt + 1000, body: "1" });
  expect(readArrival({ payload, ...properties })).toMatchObject({
    command: { id: "c1", kind: "request", expiresAt: issuedAt + 1000 },
    address,
  });
});

test.for([
  ['{"command":"locate"}', { command: "locate" }, '{"command":"locate"}'],
  ['{"header":{},"body":1}', { header: {}, body: 1 }, '{"header":{},"body":1}'], // an envelope of no command
  ["go home", "go home", '"go home"'],
  ["", null, "null"],
] as const)("%j with a response topic and correlation data is a request", ([payload, body, text]) => {
  const arrival = readArrival({ payload: Buffer.from(payload), ...properties });
  expect(arrival).toMatchObject({ kind: "command", command: { kind: "request", body, text }, address });
});

test.for([
  ['{"n":9007199254740993}', '{"n":9007199254740993}'],
  ['"go home"', '"go home"'],
] as const)("an envelope that says only its id is a request, as of %s", ([body, text]) => {
  const payload = Buffer.from(`{"header":{"commandId":"c1"},"body":${body}}`);
  const command = { id: "c1", kind: "request", body: JSON.parse(text), text };
  expect(readArrival({ payload })).toEqual({ kind: "command", command, address: undefined });
});

test("a plain request has the id of its user property, else one of its response topic and correlation data", () => {
  const payload = Buffer.from("1");
  expect(readArrival({ payload, ...properties, userProperties: [["commandId", "c9"]] })).toMatchObject({
    command: { id: "c9" },
  });
  const made = [properties, { ...properties }, { ...properties, responseTopic: "callers/c8" }].map((each) => {
    const arrival = readArrival({ payload, ...each });
    return arrival.kind === "command" ? arrival.command.id : undefined;
  });
  expect(made[0]).toMatch(/^plain-[\w-]{43}$/);
  expect(made[1]).toBe(made[0]);
  expect(made[2]).not.toBe(made[0]);
});

test("no bytes are the end of a retained command", () => {
  expect(readArrival({ payload: Buffer.alloc(0) })).toEqual({ kind: "cleared" });
});

test.for([
  ["{", undefined, "ENVELOPE_NOT_JSON"],
  ['{"command":"locate"}', undefined, "ENVELOPE_SHAPE"], // without a response topic it has no id
  ['{"header":{"kind":"state"},"body":1}', undefined, "COMMAND_INVALID"],
  ['{"header":{"commandId":"c 1","kind":"state"},"body":1}', undefined, "COMMAND_INVALID"],
  ['{"header":{"commandId":"c1","kind":"wish"},"body":1}', "c1", "COMMAND_INVALID"],
  ['{"header":{"CommandId":"c1","kind":"state","issuedAt":"now"},"body":1}', "c1", "COMMAND_INVALID"],
] as const)("%s is malformed, its id is %s", ([payload, commandId, code]) => {
  const arrival = readArrival({ payload: Buffer.from(payload) });
  expect(arrival).toMatchObject({ kind: "malformed", commandId, error: { code } });
});

test("a plain request that is no text is malformed, and can be answered", () => {
  const arrival = readArrival({ payload: Buffer.from([0xff]), ...properties });
  expect(arrival).toMatchObject({ kind: "malformed", commandId: expect.stringMatching(/^plain-/), address });
});

test.for(["callers/+", "#", "$share/g/t", ""])("the response topic %j is none", (responseTopic) => {
  const payload = encodeCommand({ commandId: "c1", kind: "request", issuedAt, body: "1" });
  expect(readArrival({ payload, responseTopic, correlationData })).toMatchObject({
    kind: "command",
    address: undefined,
  });
});
