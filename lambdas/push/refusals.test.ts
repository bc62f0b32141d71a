import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { maxPayloadBytes } from "../publish/limits.ts";
import { startPush, type TestRequest } from "./testing.ts";

const track = { command: "track" };

/** A body whose command has so many bytes with its envelope. */
async function fillTo(bytes: number): Promise<string> {
  const { ask, broker } = await startPush();
  await ask({ path: "/devices/d1/commands", body: '{"command":"a","args":""}' });
  const [{ payload } = { payload: "" }] = broker.published;
  return `{"command":"a","args":"${"x".repeat(bytes - payload.length)}"}`;
}

test("the limit is on what goes to the broker, to the byte", async () => {
  const { ask, broker } = await startPush();
  const largest = await fillTo(maxPayloadBytes);
  expect((await ask({ path: "/devices/d1/commands", body: largest })).status).toBe(202);
  expect(broker.published.map(({ payload }) => payload.length)).toEqual([maxPayloadBytes]);
  const larger = largest.replace("xx", "xxx");
  const { status, json } = await ask({ path: "/devices/d1/commands", body: larger });
  expect([status, json.detail]).toEqual([413, "the command has 131073 bytes with its envelope, the limit is 131072"]);
  const deviceIds = Array.from({ length: 3 }, () => randomUUID());
  const many = (body: string) =>
    ask({ path: "/commands", body: body.replace("{", `{"deviceIds":${JSON.stringify(deviceIds)},`) });
  expect((await many(largest)).status).toBe(202);
  expect((await many(larger)).json.code).toBe("PAYLOAD_TOO_LARGE");
});

test.for<[string, TestRequest, string, string]>([
  [
    "more targets than allowed",
    { path: "/commands", body: { deviceIds: ids(1_001) } },
    "TOO_MANY_TARGETS",
    "1001 entries, the limit is 1000",
  ],
  [
    "far more, of long ids",
    { path: "/commands", body: { deviceIds: ids(10_001) } },
    "TOO_MANY_TARGETS",
    "10001 entries",
  ],
  [
    "a body of megabytes",
    { path: "/commands", body: { deviceIds: ids(60_000) } },
    "PAYLOAD_TOO_LARGE",
    "the limit is 2097152",
  ],
  ["a wait of 26 s", { path: "/devices/d1/commands?wait=26", body: track }, "WAIT_INVALID", '"26"'],
  ["a wait of half a second", { path: "/devices/d1/commands?wait=0.5", body: track }, "WAIT_INVALID", '"0.5"'],
  ["a wait of nothing", { path: "/devices/d1/commands?wait=", body: track }, "WAIT_INVALID", '""'],
  ["two waits", { path: "/devices/d1/commands?wait=1&wait=2", body: track }, "WAIT_INVALID", "twice"],
  [
    "a wait for many",
    { path: "/commands?wait=1", body: { deviceIds: ["d1"], ...track } },
    "REQUEST_INVALID",
    '"wait" is unknown',
  ],
  ["a misspelled wait", { path: "/devices/d1/commands?wiat=1", body: track }, "REQUEST_INVALID", '"wiat" is unknown'],
  ["a prototype's name", { method: "GET", path: "/devices/d1?__proto__=1" }, "REQUEST_INVALID", '"__proto__"'],
  ["a page of none", { method: "GET", path: "/devices/d1/commands?limit=0" }, "REQUEST_INVALID", '"0"'],
  ["a page of 101", { method: "GET", path: "/devices/d1/commands?limit=101" }, "REQUEST_INVALID", '"101"'],
  ["a page before no id", { method: "GET", path: "/devices/d1/commands?before=x" }, "REQUEST_INVALID", '"x"'],
  [
    "a state that expires",
    { path: "/devices/d1/commands", body: { ...track, expiresIn: 60 } },
    "EXPIRY_INVALID",
    "a state does not expire",
  ],
  [
    "an unknown command",
    { method: "GET", path: "/commands/0190b5d6-1b9c-7000-8000-000000000000" },
    "NOT_FOUND",
    "there is no command",
  ],
  ["an item that is no command", { method: "GET", path: "/commands/device%23d1" }, "NOT_FOUND", '"device#d1"'],
  [
    "a device's own topic",
    { path: "/publish", body: { topic: "v1/drivers/d1/location", body: 1 } },
    "TOPIC_FORBIDDEN",
    "the devices' own",
  ],
  [
    "a command's topic",
    { path: "/publish", body: { topic: "commands/d1", body: 1 } },
    "TOPIC_FORBIDDEN",
    "the devices' own",
  ],
  [
    "a reply's topic",
    { path: "/publish", body: { topic: "replies/d1", body: 1 } },
    "TOPIC_FORBIDDEN",
    "the devices' own",
  ],
  [
    "a reserved topic",
    { path: "/publish", body: { topic: "$SYS/broker", body: 1 } },
    "TOPIC_FORBIDDEN",
    "begins with $",
  ],
  ["a topic of no feed", { path: "/publish", body: { topic: "orders/1/2", body: 1 } }, "TOPIC_FORBIDDEN", "no feed"],
  ["a wildcard", { path: "/publish", body: { topic: "orders/+", body: 1 } }, "TOPIC_INVALID", "wildcard"],
  ["an empty topic", { path: "/publish", body: { topic: "", body: 1 } }, "TOPIC_INVALID", "empty level"],
  ["an empty level", { path: "/publish", body: { topic: "orders/", body: 1 } }, "TOPIC_INVALID", "empty level"],
  [
    "a NUL in a topic",
    { path: "/publish", body: { topic: "orders/\0", body: 1 } },
    "TOPIC_INVALID",
    "control character",
  ],
  ["a lone surrogate", { path: "/publish", body: '{"topic":"orders/\\ud800","body":1}' }, "TOPIC_INVALID", "surrogate"],
  [
    "a long topic",
    { path: "/publish", body: { topic: `orders/${"x".repeat(256)}`, body: 1 } },
    "TOPIC_INVALID",
    "263 bytes",
  ],
  [
    "a large message",
    { path: "/publish", body: { topic: "orders/1", body: "x".repeat(131_072) } },
    "PAYLOAD_TOO_LARGE",
    "131072",
  ],
])("%s is refused, and nothing is published", async ([, request, code, detail]) => {
  const { ask, broker } = await startPush();
  const { json } = await ask(request);
  expect(json).toMatchObject({ code, detail: expect.stringContaining(detail) });
  expect(json.detail).toMatch(/^[ -~–…]{1,400}$/);
  expect(broker.published).toEqual([]);
});

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `0190b5d6-1b9c-7000-8000-${String(index).padStart(12, "0")}`);
}
