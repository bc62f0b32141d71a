import { expect, test } from "vitest";
import { type Attempt, AttemptLog } from "./attempt-log.ts";
import { startTables } from "./testing.ts";

const dayMs = 86_400_000;
const first: Attempt = { at: 1_000, code: "TIMEOUT" };
const second: Attempt = { at: 6_000, code: "HTTP_503", status: 503 };

test("gives back the attempts that were written last", async () => {
  const { client, deliveries } = await startTables();
  const log = new AttemptLog(client, deliveries);
  await log.write(
    new Map([
      ["a", [first]],
      ["b", [first, second]],
    ]),
  );
  await log.write(new Map([["a", [first, second]]]));
  expect(await log.read(["a", "b", "c"])).toEqual(
    new Map([
      ["a", [first, second]],
      ["b", [first, second]],
    ]),
  );
});

test("reads and writes nothing without asking", async () => {
  const { client, deliveries } = await startTables();
  client.destroy();
  const log = new AttemptLog(client, deliveries);
  await log.write(new Map());
  expect(await log.read([])).toEqual(new Map());
});

test("forgets attempts a day after SQS forgets the message", async () => {
  const { client, deliveries } = await startTables();
  let now = Date.UTC(2026, 0, 1);
  const log = new AttemptLog(client, deliveries, () => now);
  await log.write(new Map([["a", [first]]]));
  now += 15 * dayMs - 1;
  expect((await log.read(["a"])).size).toBe(1);
  now += 1;
  expect((await log.read(["a"])).size).toBe(0);
});
