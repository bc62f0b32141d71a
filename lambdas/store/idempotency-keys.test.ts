import { randomBytes } from "node:crypto";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { type Claimed, IdempotencyKeys, type KeptAnswer, type KeyedRequest } from "./idempotency-keys.ts";
import { startTables } from "./testing.ts";

const answer: KeptAnswer = { status: 202, headers: { location: "/commands/1" }, body: '{"id":"1"}' };

async function setUp() {
  const { client, commands: table } = await startTables();
  const clock = { now: 1_800_000_000_000 };
  const keys = new IdempotencyKeys(client, table, () => clock.now);
  let tries = 0;
  const request = (more: Partial<KeyedRequest> = {}): KeyedRequest => {
    tries += 1;
    const seed = { id: `seed-${tries}`, issuedAt: clock.now };
    return { hash: "h", fingerprint: "f", seed, lockedUntil: clock.now + 10_000, ...more };
  };
  const claimed = async (more: Partial<KeyedRequest> = {}): Promise<Claimed> => {
    const claim = await keys.claim(request(more));
    if (claim.kind !== "claimed") expect.fail(`the key is ${claim.kind}`);
    return claim;
  };
  const stored = async () => (await client.send(new GetCommand({ TableName: table, Key: { id: "key#h" } }))).Item;
  return { keys, clock, request, claimed, stored };
}

test("the first request runs, and its answer is everybody's", async () => {
  const { keys, request, claimed } = await setUp();
  const first = await claimed();
  expect(first.seed).toEqual({ id: "seed-1", issuedAt: 1_800_000_000_000 });
  await keys.finish(first, answer);
  expect(await keys.claim(request())).toEqual({ kind: "done", answer });
});

test("while one runs, others are told until when; with another payload, that the key is taken", async () => {
  const { keys, clock, request, claimed } = await setUp();
  const first = await claimed();
  expect(await keys.claim(request())).toEqual({ kind: "running", lockedUntil: clock.now + 10_000 });
  expect(await keys.claim(request({ fingerprint: "other" }))).toEqual({ kind: "reused" });
  await keys.finish(first, answer);
  expect(await keys.claim(request({ fingerprint: "other" }))).toEqual({ kind: "reused" });
  expect(await keys.claim(request({ hash: "another key" }))).toMatchObject({ kind: "claimed" });
});

test("of many who come at once, one runs", async () => {
  const { keys, request } = await setUp();
  const claims = await Promise.all(Array.from({ length: 20 }, () => keys.claim(request())));
  expect(claims.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
  expect(claims.filter(({ kind }) => kind === "running")).toHaveLength(19);
});

test("what a dead process left is taken over by one, with the first seed", async () => {
  const { keys, clock, request, claimed } = await setUp();
  const dead = await claimed();
  clock.now += 10_000;
  const claims = await Promise.all(Array.from({ length: 10 }, () => keys.claim(request())));
  const heirs = claims.filter((claim) => claim.kind === "claimed");
  expect(heirs).toMatchObject([{ seed: dead.seed }]);
  // It was not dead, after all: the heir's answer is the one that counts.
  await keys.finish(dead, { ...answer, status: 207 });
  expect(await keys.claim(request())).toMatchObject({ kind: "running" });
  for (const heir of heirs) await keys.finish(heir, answer);
  await keys.release(dead);
  expect(await keys.claim(request())).toEqual({ kind: "done", answer });
});

test("what was released goes on at once, with the first seed", async () => {
  const { keys, claimed } = await setUp();
  const first = await claimed();
  await keys.release(first);
  expect((await claimed()).seed).toEqual(first.seed);
});

test("a key is forgotten after a day, though DynamoDB may still have it", async () => {
  const { keys, clock, request, claimed, stored } = await setUp();
  await keys.finish(await claimed(), answer);
  clock.now += 86_400_000 - 1;
  expect(await keys.claim(request())).toMatchObject({ kind: "done" });
  clock.now += 1;
  expect((await claimed({ fingerprint: "other" })).seed.issuedAt).toBe(clock.now);
  expect(await stored()).toMatchObject({ state: "running", expiresAt: (clock.now + 86_400_000) / 1000 });
});

test("an answer of a thousand outcomes is kept, compressed", async () => {
  const { keys, request, claimed, stored } = await setUp();
  const body = JSON.stringify(Array.from({ length: 1_000 }, (_, index) => ({ index, text: "outcome ".repeat(100) })));
  await keys.finish(await claimed(), { ...answer, body });
  expect(body.length).toBeGreaterThan(400 * 1024);
  expect((await stored())?.body.length).toBeLessThan(50_000);
  expect(await keys.claim(request())).toEqual({ kind: "done", answer: { ...answer, body } });
});

test("an answer that no item can hold is not kept: a retry does the same again", async () => {
  const { keys, claimed } = await setUp();
  const first = await claimed();
  await keys.finish(first, { ...answer, body: randomBytes(600_000).toString("base64") });
  expect((await claimed()).seed).toEqual(first.seed);
});
