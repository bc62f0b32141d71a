import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { type KeptMessage, type KeptMessageFilter, KeptMessages } from "./kept-messages.ts";
import { startTables } from "./testing.ts";

const receivedAt = Date.UTC(2026, 0, 31, 8);
const message: KeptMessage = {
  id: "m1",
  route: "location",
  topic: "v1/drivers/d42/location",
  deviceId: "d42",
  qos: 1,
  receivedAt,
  broker: "bridge-1",
  payload: new TextEncoder().encode('{"lat":1.5}'),
  message: '{"data":"eyJsYXQiOjEuNX0="}',
};

async function setUp() {
  const { client, messages: table } = await startTables();
  const clock = { now: receivedAt };
  const kept = new KeptMessages(client, table, () => clock.now);
  const stored = async () => (await client.send(new ScanCommand({ TableName: table }))).Items ?? [];
  return { kept, clock, stored };
}

async function list(kept: KeptMessages, filter: KeptMessageFilter = {}): Promise<KeptMessage[]> {
  const listed: KeptMessage[] = [];
  for await (const each of kept.list(filter)) listed.push(each);
  return listed;
}

test("gives a message back as it came, text kept as text", async () => {
  const { kept, stored } = await setUp();
  await kept.put([[message, 30]]);
  expect(await list(kept)).toEqual([message]);
  expect(await stored()).toMatchObject([{ payload: '{"lat":1.5}', position: "2026-01-31T08:00:00.000Z#m1" }]);
});

test("other bytes are kept as they are, and what no connection brought has no broker", async () => {
  const { kept, stored } = await setUp();
  const binary = { ...message, broker: undefined, payload: Uint8Array.of(0xff, 0) };
  await kept.put([[binary, 30]]);
  expect(await list(kept)).toEqual([binary]);
  expect(await stored()).toMatchObject([{ payload: Uint8Array.of(0xff, 0) }]);
});

test("the same message twice is kept once", async () => {
  const { kept } = await setUp();
  await kept.put([
    [message, 30],
    [message, 30],
  ]);
  await kept.put([[message, 30]]);
  expect(await list(kept)).toEqual([message]);
});

test("the largest payload is kept with its message", async () => {
  const { kept } = await setUp();
  const payload = new Uint8Array(131_072).fill(0xff);
  const large = { ...message, payload, message: JSON.stringify({ data: Buffer.from(payload).toString("base64") }) };
  await kept.put(Array.from({ length: 10 }, (_, index) => [{ ...large, id: `${index}` }, 30] as const));
  expect(await list(kept, { deviceId: "d42" })).toEqual(
    Array.from({ length: 10 }, (_, index) => ({ ...large, id: `${index}` })),
  );
});

test.for([
  [300_000, { isPayloadLeftOut: true, payload: new Uint8Array() }, 300_000],
  [500_000, { isPayloadLeftOut: true, isMessageLeftOut: true }, 0],
] as const)("what an item cannot hold is left out of it: a message of %i", async ([length, expected, kept]) => {
  const { kept: messages } = await setUp();
  await messages.put([[{ ...message, payload: new Uint8Array(120_000), message: "x".repeat(length) }, 30]]);
  const [listed] = await list(messages);
  expect(listed).toMatchObject(expected);
  expect(listed?.message).toHaveLength(kept);
});

test.for([
  [{}, ["a", "b", "c", "d"]],
  [{ deviceId: "d1" }, ["a", "b", "c"]],
  [{ deviceId: "d1", route: "location" }, ["a", "c"]],
  [{ deviceId: "d1", since: receivedAt + 10, until: receivedAt + 20 }, ["b", "c"]],
  [{ deviceId: "d1", since: receivedAt + 11 }, ["c"]],
  [{ until: receivedAt + 10 }, ["a", "b", "d"]],
  [{ route: "location", since: receivedAt + 1 }, ["c"]],
  [{ deviceId: "nosuch" }, []],
] as const)("lists those of %j", async ([filter, expected]) => {
  const { kept } = await setUp();
  const of = (id: string, deviceId: string, afterMs: number, route = "location") =>
    [{ ...message, id, deviceId, route, receivedAt: receivedAt + afterMs }, 30] as const;
  await kept.put([of("c", "d1", 20), of("d", "d2", 0), of("b", "d1", 10, "health"), of("a", "d1", 0)]);
  const listed = (await list(kept, filter)).map(({ id }) => id);
  expect("deviceId" in filter ? listed : listed.sort()).toEqual(expected);
});

test("each message is kept for its own days", async () => {
  const { kept, clock } = await setUp();
  await kept.put([
    [message, 1],
    [{ ...message, id: "m2" }, 2],
  ]);
  clock.now += 86_400_000;
  expect(await list(kept)).toMatchObject([{ id: "m2" }]);
  expect(await list(kept, { deviceId: "d42" })).toMatchObject([{ id: "m2" }]);
});
