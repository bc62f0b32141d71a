import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { type DeadLetter, type DeadLetterFilter, DeadLetters } from "./dead-letters.ts";
import { startTables } from "./testing.ts";

const dayMs = 86_400_000;
const bytes = (text: string) => new TextEncoder().encode(text);

const letter: DeadLetter = {
  id: "0af76519-16cd-43dd-8448-eb211c80319c",
  route: "location",
  topic: "v1/drivers/d42/location",
  deviceId: "d42",
  reason: "HTTP_422",
  detail: "the API answered 422",
  at: 1_700_000_000_123,
  request: {
    method: "POST",
    path: "/v1/drivers/d42/location",
    headers: [
      ["idempotency-key", "d42/7"],
      ["x-tag", "a"],
      ["x-tag", "b"],
    ],
    body: bytes('{"lat":1.5}'),
  },
  answer: { status: 422, body: bytes("no such driver"), isTruncated: false },
  attempts: [
    { at: 1_700_000_000_100, code: "TIMEOUT" },
    { at: 1_700_000_000_110, code: "HTTP_422", status: 422 },
  ],
  message: '{"data":"eyJsYXQiOjEuNX0="}',
  state: "dead",
  stateAt: 1_700_000_000_123,
};

async function setUp(days = 14) {
  const { client, deadLetters: table } = await startTables();
  const clock = { now: letter.at };
  const letters = new DeadLetters(client, table, days, () => clock.now);
  const stored = async (id = letter.id) => (await client.send(new GetCommand({ TableName: table, Key: { id } }))).Item;
  return { letters, client, clock, stored };
}

test("gives a dead letter back as it was recorded", async () => {
  const { letters } = await setUp();
  const bare: DeadLetter = {
    ...{ id: "b", route: "unknown", topic: undefined, deviceId: undefined, reason: "TOPIC_NOT_ROUTED", detail: "x" },
    ...{ at: 1, attempts: [], message: "rubbish", state: "dead", stateAt: 1 },
  };
  await letters.put([letter, bare]);
  expect(await letters.get(letter.id)).toEqual(letter);
  expect(await letters.get("b")).toEqual(bare);
  expect(await letters.get("c")).toBeUndefined();
});

test("keeps text as text, and other bytes as they are", async () => {
  const { letters, stored } = await setUp();
  const binary = Uint8Array.of(0xff, 0x00, 0x80);
  const request = { ...letter, method: "POST", path: "/", headers: [], body: binary };
  const half = bytes("né").subarray(0, 2); // the first bytes of a longer answer
  await letters.put([{ ...letter, request, answer: { status: 500, body: half, isTruncated: true } }]);
  expect(await stored()).toMatchObject({ request: { body: binary }, answer: { body: "n" } });
  expect(await letters.get(letter.id)).toMatchObject({ request: { body: binary }, answer: { body: bytes("n") } });
  await letters.put([letter]);
  expect(await stored()).toMatchObject({ request: { body: '{"lat":1.5}' }, answer: { body: "no such driver" } });
});

test("text that UTF-8 cannot hold is no reason to lose a dead letter", async () => {
  const { letters } = await setUp();
  await letters.put([{ ...letter, topic: "v1/\ud800", deviceId: "\udfff", detail: "\ud800" }]);
  expect(await letters.get(letter.id)).toMatchObject({ topic: "v1/\ufffd", deviceId: "\ufffd", detail: "\ufffd" });
});

/** A dead letter of the largest payload, with as much around it as there can be. */
function largest(payload: Uint8Array): DeadLetter {
  const message = JSON.stringify({
    data: Buffer.from(payload).toString("base64"),
    userProperties: ["p".repeat(8_192)],
  });
  const headers = Array.from({ length: 64 }, (_, index) => [`x-header-${index}`, "v".repeat(128)] as const);
  const request = { method: "POST", path: "/".repeat(256), headers, body: payload };
  const answer = { status: 500, body: new Uint8Array(16 * 1024).fill(0xff), isTruncated: true };
  const attempts = Array.from({ length: 14 }, (_, index) => ({ at: letter.at + index, code: "HTTP_500", status: 500 }));
  return { ...letter, request, answer, attempts, message };
}

test.for([
  ["text", bytes("x".repeat(131_072))],
  ["other bytes", new Uint8Array(131_072).fill(0xff)],
] as const)("holds the largest payload of %s with its answer", async ([, payload]) => {
  const { letters } = await setUp();
  const large = largest(payload);
  await letters.put([large]);
  expect(await letters.get(letter.id)).toEqual(large);
});

test("leaves the body out of a record that would be too large, since the message has it", async () => {
  const { letters } = await setUp();
  const large = largest(bytes("x".repeat(200_000)));
  await letters.put([large]);
  const request = { ...large.request, body: new Uint8Array(), isBodyLeftOut: true };
  expect(await letters.get(letter.id)).toEqual({ ...large, request });
});

test("cuts a message that alone is too large", async () => {
  const { letters } = await setUp();
  await letters.put([{ ...letter, message: "é".repeat(500_000) }]);
  const kept = await letters.get(letter.id);
  expect(kept).toMatchObject({ isMessageCut: true, request: { isBodyLeftOut: true }, reason: "HTTP_422" });
  expect(kept?.message).toMatch(/^é{150000,}$/);
});

const oversize = { ...letter, reason: "PAYLOAD_TOO_LARGE", attempts: [], message: '{"topic":"t","data":""}' };
const payloads = [0, 1, 2].map((n) => new Uint8Array(n === 2 ? 1 : 131_000).fill(n));

async function putParts(letters: DeadLetters, ...parts: readonly number[]): Promise<void> {
  for (const part of parts) {
    const payload = payloads[part] ?? new Uint8Array();
    await letters.put([{ ...oversize, part: { part, parts: payloads.length, payload } }]);
  }
}

test.for([{ parts: [0, 1, 2] }, { parts: [2, 0, 1] }, { parts: [1, 1, 0, 2, 0] }])(
  "joins the parts of a payload, which came as $parts",
  async ({ parts }) => {
    const { letters } = await setUp();
    await putParts(letters, ...parts);
    const kept = await letters.get(letter.id);
    expect(kept).toMatchObject({ reason: "PAYLOAD_TOO_LARGE", route: "location", state: "dead" });
    expect(kept).not.toHaveProperty("isMessageCut");
    const { topic, data } = JSON.parse(kept?.message ?? "");
    expect(topic).toBe("t");
    expect(Buffer.from(data, "base64").equals(Buffer.concat(payloads))).toBe(true);
    for await (const listed of letters.list({ route: "location" })) expect(listed).toEqual(kept);
  },
);

test("says that a part is missing, and gives what is before it", async () => {
  const { letters } = await setUp();
  await putParts(letters, 2, 0);
  const kept = await letters.get(letter.id);
  expect(kept?.isMessageCut).toBe(true);
  expect(JSON.parse(kept?.message ?? "").data).toHaveLength(Math.ceil(131_000 / 3) * 4);
});

test("a part that comes again undoes nothing", async () => {
  const { letters, clock } = await setUp();
  await putParts(letters, 0, 1, 2);
  clock.now += 5;
  const dropped = await letters.mark(letter, "dropped");
  await putParts(letters, 1);
  expect(await letters.get(letter.id)).toMatchObject({ ...dropped, at: letter.at });
  await letters.put([letter]); // a replay has died again
  await putParts(letters, 1);
  expect(await letters.get(letter.id)).toEqual(letter);
});

test("leaves a part out that the others would not fit beside", async () => {
  const { letters } = await setUp();
  const parts = [200_000, 250_000].map((bytes, part) => ({ part, parts: 2, payload: new Uint8Array(bytes) }));
  await letters.put(parts.map((part) => ({ ...oversize, part })));
  expect(await letters.get(letter.id)).toMatchObject({ isMessageCut: true });
});

async function ids(letters: DeadLetters, filter: DeadLetterFilter): Promise<string[]> {
  const listed: string[] = [];
  for await (const { id } of letters.list(filter)) listed.push(id);
  return listed;
}

test.for([
  [{ route: "location" }, ["1", "2", "3"]],
  [{ route: "nosuch" }, []],
  [{ route: "location", since: 200, until: 300 }, ["2", "3"]],
  [{ route: "location", since: 201 }, ["3"]],
  [{ route: "location", deviceId: "d1" }, ["1", "3"]],
  [{ route: "location", reason: "TIMEOUT" }, ["2"]],
  [{ route: "location", state: "dead" }, ["1", "2"]],
  [{}, ["1", "2", "3", "4"]],
  [{ until: 100 }, ["1"]],
  [{ deviceId: "d1", state: "replayed" }, ["3"]],
  [{ deviceId: undefined }, ["1", "2", "3", "4"]],
] as const)("lists those of %j", async ([filter, expected]) => {
  const { letters } = await setUp();
  await letters.put([
    { ...letter, id: "3", at: 300, deviceId: "d1", state: "replayed" },
    { ...letter, id: "1", at: 100, deviceId: "d1" },
    { ...letter, id: "4", at: 150, route: "health" },
    { ...letter, id: "2", at: 200, deviceId: "d2", reason: "TIMEOUT" },
  ]);
  const listed = await ids(letters, filter);
  expect("route" in filter ? listed : listed.sort()).toEqual(expected);
});

test.for([["location"], [undefined]])("lists more than a page holds (1 MB), of route %s", async ([route]) => {
  const { letters } = await setUp();
  const many = Array.from({ length: 8 }, (_, index) => ({ ...largest(new Uint8Array(131_072)), id: `${index}` }));
  await letters.put(many);
  expect((await ids(letters, { route })).sort()).toEqual(many.map(({ id }) => id));
});

test("shows none whose days are over, removed or not", async () => {
  const { letters, clock } = await setUp(3);
  await letters.put([letter]);
  clock.now += 3 * dayMs;
  expect(await letters.get(letter.id)).toMatchObject({ id: letter.id }); // in the last second, which is rounded up
  clock.now += 1_000;
  expect(await letters.get(letter.id)).toBeUndefined();
  expect(await ids(letters, { route: "location" })).toEqual([]);
  expect(await ids(letters, {})).toEqual([]);
});

test("moves a letter to another state once from what was read of it", async () => {
  const { letters, clock } = await setUp();
  await letters.put([letter]);
  clock.now += 5;
  const replaying = { id: letter.id, state: "replaying", stateAt: clock.now } as const;
  expect(await letters.mark(letter, "replaying")).toEqual(replaying);
  expect(await letters.mark(letter, "replaying")).toBeUndefined();
  expect(await letters.mark({ ...letter, id: "nosuch" }, "dropped")).toBeUndefined();
  expect(await letters.get(letter.id)).toEqual({ ...letter, ...replaying });
  await letters.put([letter]); // the replay has died again
  expect(await letters.mark(replaying, "replayed")).toBeUndefined();
  expect(await letters.mark(letter, "dropped")).toMatchObject({ state: "dropped" });
});

test("of several who move a letter at one time one does", async () => {
  const { letters } = await setUp();
  await letters.put([letter]);
  const marks = await Promise.all(Array.from({ length: 5 }, () => letters.mark(letter, "replaying")));
  expect(marks.filter((mark) => mark !== undefined)).toHaveLength(1);
});

test("a move whose answer got lost is known for one's own when the SDK asks again", async () => {
  const { letters, client } = await setUp();
  await letters.put([letter]);
  client.middlewareStack.add(
    (next) => async (args) => {
      await next(args);
      return await next(args);
    },
    { step: "deserialize", priority: "low" },
  );
  expect(await letters.mark(letter, "dropped")).toMatchObject({ state: "dropped" });
});
