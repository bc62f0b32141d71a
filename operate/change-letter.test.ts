import { expect, test } from "vitest";
import { ingestMessage, testScheme } from "../lambdas/forward/test-message.ts";
import { AttemptLog } from "../lambdas/store/attempt-log.ts";
import { type DeadLetter, DeadLetters } from "../lambdas/store/dead-letters.ts";
import { startTables } from "../lambdas/store/testing.ts";
import { dropLetter, replayLetter } from "./change-letter.ts";

const start = Date.parse("2026-01-31T12:00:00Z");

const letter: DeadLetter = {
  ...{ id: "m1", route: "location", topic: "v1/drivers/d42/location", deviceId: "d42" },
  ...{ reason: "HTTP_422", detail: "the API answered 422", at: start, attempts: [], state: "dead", stateAt: start },
  message: JSON.stringify(ingestMessage()),
};

async function setUp(letters: readonly DeadLetter[] = [letter]) {
  const { client, deliveries, deadLetters: table } = await startTables();
  const clock = { now: start + 1000 };
  const now = () => clock.now;
  const deadLetters = new DeadLetters(client, table, 14, now);
  const attemptLog = new AttemptLog(client, deliveries, now);
  await deadLetters.put(letters);
  const sent: string[] = [];
  const states: ReadonlySet<DeadLetter["state"]> = new Set(["dead", "replaying"] as const);
  const options = {
    ...{ sources: testScheme.routes, deadLetters, attemptLog, states, isDryRun: false, now },
    send: async (route: string, body: string) => {
      sent.push(`${route} ${JSON.parse(body).id}`);
    },
  };
  const stateOf = async (id = "m1") => (await deadLetters.get(id))?.state;
  return { clock, deadLetters, attemptLog, sent, options, stateOf };
}

test("sends a dead letter once, however often it is replayed", async () => {
  const { sent, options, stateOf } = await setUp();
  expect(await replayLetter("m1", options)).toEqual({ kind: "done", route: "location" });
  expect(await replayLetter("m1", options)).toEqual({ kind: "skipped", reason: "it is replayed already" });
  expect(sent).toEqual(["location m1"]);
  expect(await stateOf()).toBe("replayed");
});

test("sends a dead letter once where many replay it at the same time", async () => {
  const { sent, options } = await setUp();
  const results = await Promise.all(Array.from({ length: 8 }, () => replayLetter("m1", options)));
  expect(results.filter(({ kind }) => kind === "done")).toHaveLength(1);
  expect(sent).toEqual(["location m1"]);
});

test("begins the schedule anew", async () => {
  const { attemptLog, options } = await setUp();
  await attemptLog.write(new Map([["m1", [{ at: start, code: "HTTP_503", status: 503 }]]]));
  await replayLetter("m1", options);
  expect((await attemptLog.read(["m1"])).get("m1") ?? []).toEqual([]);
});

test("leaves a dead letter dead that could not be sent", async () => {
  const { options, stateOf } = await setUp();
  const send = () => Promise.reject(new Error("no network"));
  await expect(replayLetter("m1", { ...options, send })).rejects.toThrow("no network");
  expect(await stateOf()).toBe("dead");
});

test("takes over after two minutes what a killed replay has begun", async () => {
  const { clock, deadLetters, sent, options } = await setUp();
  await deadLetters.mark(letter, "replaying"); // and then it was killed, before it sent or after
  expect(await replayLetter("m1", options)).toEqual({ kind: "skipped", reason: "a replay has it" });
  clock.now += 120_000;
  const results = await Promise.all([replayLetter("m1", options), replayLetter("m1", options)]);
  expect(results.filter(({ kind }) => kind === "done")).toHaveLength(1);
  expect(sent).toEqual(["location m1"]);
});

test("leaves a message dead that has died again before its replay was noted", async () => {
  const { deadLetters, options, stateOf } = await setUp();
  const send = () => deadLetters.put([{ ...letter, reason: "HTTP_400" }]);
  await replayLetter("m1", { ...options, send });
  expect(await stateOf()).toBe("dead");
});

test("changes nothing in a dry run", async () => {
  const { sent, options, stateOf } = await setUp();
  const dry = { ...options, isDryRun: true };
  expect(await replayLetter("m1", dry)).toEqual({ kind: "done", route: "location" });
  expect(await dropLetter("m1", dry)).toEqual({ kind: "done", route: "location" });
  expect(sent).toEqual([]);
  expect(await stateOf()).toBe("dead");
});

test("drops a dead letter, which is not replayed then unless that is asked for", async () => {
  const { sent, options, stateOf } = await setUp();
  expect(await dropLetter("m1", options)).toEqual({ kind: "done", route: "location" });
  expect(await stateOf()).toBe("dropped");
  expect(await replayLetter("m1", options)).toEqual({ kind: "skipped", reason: "it is dropped already" });
  await replayLetter("m1", { ...options, states: new Set(["dropped"] as const) });
  expect(sent).toEqual(["location m1"]);
});

test("says what cannot be replayed, and leaves it dead", async () => {
  const { options, stateOf } = await setUp([{ ...letter, route: "unknown", message: "rubbish" }]);
  expect(await replayLetter("m1", options)).toEqual({ kind: "failed", reason: "the scheme has no route 'unknown'" });
  expect(await replayLetter("m2", options)).toEqual({ kind: "failed", reason: "there is no such dead letter" });
  expect(await stateOf()).toBe("dead");
});
