import { Buffer, isUtf8 } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type BadInput, badInputs } from "../fixtures/bad-inputs.ts";
import { jsonTestFiles } from "../fixtures/json-test-suite.ts";
import { MessageError } from "../message-error.ts";
import { type OpenedMessage, openMessage } from "./open-message.ts";
import type { DeviceMessage } from "./properties.ts";

const cases = badInputs("mqtt.payload", "envelope.header", "mqtt5.property");

/** Cases that never reach this code, and what meets them instead. */
const unseen = new Map([
  ["m5-02", "the broker closes the connection: test/broker-topics.test.ts"],
  ["m5-03", "the broker closes the connection: test/broker-topics.test.ts"],
  ["m5-04", "the broker and the rule drop what has expired"],
  ["m5-10", "nothing is published to a device's response topic"],
  ["m5-12", "the broker closes the connection: test/broker-topics.test.ts"],
  ["m5-14", "the broker's sessions"],
  ["pay-28", "a route's lease remembers message ids: test/dead-letters.test.ts"],
  ["pay-29", "three requests: test/end-to-end.test.ts"],
  ["pay-31", "packets at the broker: test/end-to-end.test.ts; payloads: round-trip.test.ts"],
]);

const suites = new Map([
  ["pay-25", jsonTestFiles("n_")],
  ["pay-27", jsonTestFiles("i_")],
]);

const text = (body: OpenedMessage["body"]) => Buffer.from(body).toString();

const filler = "A".repeat(128 * 1024 - '{"header":{},"body":""}'.length);
const manyKeys = `{${Array.from({ length: 12_000 }, (_, index) => `"k${index}":1`)}}`;

/** What "deliver" has to mean, case by case. */
const delivered = new Map<string, (opened: OpenedMessage) => void>([
  ["pay-03", ({ body }) => expect(text(body) === filler).toBe(true)],
  ["pay-12", ({ body }) => expect(text(body) === manyKeys).toBe(true)],
  ["pay-13", ({ body }) => expect(text(body)).toBe('{"id":9007199254740993}')],
  ["pay-15", ({ body }) => expect(text(body)).toBe('{"a":1,"a":2}')],
  ["pay-17", ({ body }) => expect(text(body)).toBe('"\\ud800"')],
  ["pay-24", ({ body }) => expect(text(body)).toBe("a\u0000b\u0008c")],
  ["hdr-32", ({ headers }) => expect(headers).toContainEqual(["authorization", "Bearer device-token"])],
  ["hdr-41", ({ headers }) => expect(headers.map(([name]) => name)).toEqual(["url", "path", "method", "content-type"])],
]);

/** The message that a case describes. */
function messageOf({ id, input }: BadInput): DeviceMessage {
  const envelope = { payload: Buffer.from('{"header":{},"body":1}') };
  if (id === "pay-03") return { payload: Buffer.from(JSON.stringify({ header: {}, body: filler })) };
  if (id === "pay-11") {
    const [[open, close], depth] = [input.nest as [string, string], input.depth as number];
    return { payload: Buffer.from(`{"header":{},"body":${open.repeat(depth)}${input.leaf}${close.repeat(depth)}}`) };
  }
  if ("json" in input) return { payload: Buffer.from(JSON.stringify(input.json)) };
  if ("utf8" in input) return { payload: Buffer.from(String(input.utf8)) };
  if ("hex" in input) return { payload: Buffer.from(String(input.hex), "hex") };
  if ("repeat" in input) return { payload: Buffer.alloc(Number(input.times), String(input.repeat)) };
  if ("manyKeys" in input) return { payload: Buffer.from(`{"header":{},"body":${manyKeys}}`) };
  if ("repeatHeader" in input) {
    const header = Object.fromEntries(numbered(input.repeatHeader));
    return { payload: Buffer.from(JSON.stringify({ header, body: 1 })) };
  }
  if ("userProperties" in input) return { ...envelope, userProperties: numbered(input.userProperties) };
  if ("userProperty" in input) return { ...envelope, userProperties: [input.userProperty as [string, string]] };
  if ("payloadHex" in input) {
    return { payload: Buffer.from(String(input.payloadHex), "hex"), payloadFormatIndicator: "UTF8_DATA" };
  }
  if ("contentType" in input) return { ...envelope, contentType: String(input.contentType) };
  if ("correlationData" in input) {
    const { repeat, times } = input.correlationData as { repeat: string; times: number };
    return { ...envelope, correlationData: Buffer.alloc(times, repeat).toString("base64") };
  }
  throw new Error(`${id} is of no kind that this test knows: ${JSON.stringify(input)}`);
}

function numbered(count: unknown): [string, string][] {
  return Array.from({ length: Number(count) }, (_, index) => [`x-${index}`, "1"]);
}

function open(message: DeviceMessage): OpenedMessage | MessageError {
  try {
    return openMessage(message, { overridden: new Set() });
  } catch (error) {
    if (error instanceof MessageError) return error;
    throw error;
  }
}

const codeOf = (result: OpenedMessage | MessageError) => (result instanceof MessageError ? result.code : "delivered");

const seen = cases.filter(({ id }) => !unseen.has(id) && !suites.has(id));

test("every case is run or listed", () => {
  const ids = cases.map(({ id }) => id);
  expect(ids).toHaveLength(65);
  expect([...unseen.keys(), ...suites.keys()].filter((id) => !ids.includes(id))).toEqual([]);
  expect(seen.filter(({ expect: { outcome } }) => outcome === "deliver").map(({ id }) => id)).toEqual(
    expect.arrayContaining([...delivered.keys()]),
  );
});

test.for(seen)("$id: $expect.outcome $expect.code", (badInput) => {
  const message = messageOf(badInput);
  const before = process.threadCpuUsage();
  const result = open(message);
  const { user, system } = process.threadCpuUsage(before);
  const { outcome, code, stripped, max_ms: maxMs = Number.POSITIVE_INFINITY } = badInput.expect;
  expect((user + system) / 1_000).toBeLessThan(maxMs);
  if (outcome === "dead-letter") {
    expect(codeOf(result)).toBe(code);
    return;
  }
  if (result instanceof MessageError) throw result;
  expect(result.stripped).toEqual(stripped ?? []);
  if (outcome === "deliver-stripped") return;
  expect(outcome).toBe("deliver");
  const check = delivered.get(badInput.id);
  if (check === undefined) expect.fail("nothing here says what delivering it means");
  check(result);
});

describe("JSONTestSuite", () => {
  test("has the files that the cases count", () => {
    for (const [id, files] of suites) expect(files).toHaveLength(cases.find((one) => one.id === id)?.expect.count ?? 0);
  });

  test.for(jsonTestFiles("n_"))("pay-25: $name is refused", ({ bytes }) => {
    const codes = cases.find(({ id }) => id === "pay-25")?.expect.codes;
    expect(codes).toContain(codeOf(open({ payload: bytes })));
  });

  test.for(jsonTestFiles("i_"))("pay-27: $name as the body comes out as it is or is refused", ({ bytes }) => {
    const result = open({ payload: Buffer.concat([Buffer.from('{"header":{},"body":'), bytes, Buffer.from("}")]) });
    const isJson = isUtf8(bytes) && !bytes.includes("\ufeff");
    expect(codeOf(result)).toBe(isJson ? "delivered" : isUtf8(bytes) ? "ENVELOPE_NOT_JSON" : "PAYLOAD_NOT_UTF8");
    if (!(result instanceof MessageError)) expect(text(result.body)).toBe(bytes.toString().trim());
  });
});

test("no case changes what every object inherits", () => {
  for (const badInput of seen) open(messageOf(badInput));
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
});
