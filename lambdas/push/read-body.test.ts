import { expect, test } from "vitest";
import { PushError } from "./push-error.ts";
import { readBody } from "./read-body.ts";
import { publishBody, sendCommandBody, sendCommandsBody } from "./request-schemas.ts";

const schemas = { command: sendCommandBody, commands: sendCommandsBody, publish: publishBody };

function read(body: string | Uint8Array, schema: keyof typeof schemas = "command", contentType = "application/json") {
  try {
    const request = { headers: { "content-type": contentType }, body: Buffer.from(body) };
    return readBody(request, { schema: schemas[schema], maxBytes: 400_000 });
  } catch (error) {
    if (error instanceof PushError) return error;
    throw error;
  }
}

const told = (result: ReturnType<typeof read>) =>
  result instanceof PushError
    ? [result.code, ...result.faults.map(({ pointer, detail }) => `${pointer} ${detail}`)]
    : [];

test.for([
  ["application/json", true],
  ["Application/JSON; charset=utf-8", true],
  ["application/vnd.acme.command+json;v=1", true],
  ["", false],
  ["text/plain", false],
  ["application/jsonp", false],
  ["application/+json", false],
  ["application/json, text/xml", false],
  ["text/json", false],
] as const)("content type %j: %s", ([contentType, isTaken]) => {
  expect(told(read('{"command":"a"}', "command", contentType))).toEqual(isTaken ? [] : ["UNSUPPORTED_MEDIA_TYPE"]);
});

test.for([
  ["", "BODY_NOT_JSON"],
  ["{", "BODY_NOT_JSON"],
  ['{"command":"a"}x', "BODY_NOT_JSON"],
  ['\ufeff{"command":"a"}', "BODY_NOT_JSON"],
  ['{"command":"a","args":01}', "BODY_NOT_JSON"],
  [Buffer.from([0x7b, 0xff, 0x7d]), "BODY_NOT_JSON"],
  [`{"command":"a","args":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, "REQUEST_INVALID"],
  [`{"command":"a","args":"${"x".repeat(400_000)}"}`, "PAYLOAD_TOO_LARGE"],
] as const)("the body %j is refused", ([body, code]) => {
  expect(told(read(body))).toEqual([code]);
});

test.for([
  ["command", "[]", "# the body is no object"],
  ["command", '"x"', "# the body is no object"],
  ["command", "{}", "#/command nothing: Invalid input: expected string, received undefined"],
  ["command", '{"command":"a b"}', '#/command "a b": Invalid string: must match pattern /^[!-~]{1,128}$/'],
  ["command", '{"command":"a","kind":"wish"}', '#/kind "wish": Invalid option: expected one of "state"|"request"'],
  ["command", '{"command":"a","command":"b"}', '#/command "command" comes twice'],
  ["command", '{"command":"a","\\u0063ommand":"b"}', '#/command "command" comes twice'],
  ["command", '{"command":"a","__proto__":{}}', '#/__proto__ "__proto__" is unknown'],
  ["command", '{"command":"a","x/~\\n\\ud800":1}', '#/x~1~0%0A%EF%BF%BD "x/~\\n\\ud800" is unknown'],
  ["command", '{"command":{"a":1}}', "#/command an object: Invalid input: expected string, received object"],
  [
    "commands",
    '{"deviceIds":[],"command":"a"}',
    "#/deviceIds a list of 0: Too small: expected array to have >=1 items",
  ],
  ["commands", '{"deviceIds":[7],"command":"a"}', "#/deviceIds/0 7: Invalid input: expected string, received number"],
  ["publish", '{"topic":"a"}', "#/body nothing: Invalid input: expected nonoptional, received undefined"],
] as const)("%s %s: %s", ([schema, body, fault]) => {
  expect(told(read(body, schema))).toEqual(["REQUEST_INVALID", fault]);
});

test.for([0, -1, 1.5, 604_801, 1e308, "60", null])("expiresIn of %j is no expiry", (expiresIn) => {
  expect(told(read(JSON.stringify({ command: "a", expiresIn })))[0]).toBe("EXPIRY_INVALID");
});

test("every fault is told, up to twenty", () => {
  const many = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`k${index}`, 1]));
  expect(told(read('{"kind":1,"expiresIn":0}'))).toHaveLength(4);
  expect(told(read(JSON.stringify({ command: "a", ...many })))).toHaveLength(21);
});

test("what is read has defaults, and each member as it was spelled", () => {
  const result = read('{"args":{"a": 1.0},"command":"\\u0061"}');
  if (result instanceof PushError) throw result;
  expect(result.value).toEqual({ command: "a", args: { a: 1 }, kind: "state" });
  expect(result.raw.get("args")).toBe('{"a": 1.0}');
});
