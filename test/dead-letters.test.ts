import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Engine } from "../engine/engine.ts";
import { ServicesFile } from "../engine/services-file.ts";
import { readAssembly } from "../engine/template/assembly.ts";
import { readPlan } from "../engine/template/read-plan.ts";
import { projectRoot } from "../infra/bundle.ts";
import { synthesize } from "../infra/synthesize.ts";
import { deadLettersCommand } from "../operate/dead-letters-command.ts";
import { ledgerCommand } from "../operate/ledger-command.ts";
import { messagesCommand } from "../operate/messages-command.ts";
import type { Command } from "../operate/run-command.ts";
import { testTerminal } from "../operate/testing.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import { RecordingApi } from "./support/recording-api.ts";

// What the API refuses, through the engine and the bundles into the tables, and back by the commands.

const configFile = join(projectRoot, "test/dead-letters.config.ts");
const body = '{"lat":1.0}';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trestle-letters-"));
  await synthesize({ configFile, outDir: join(folder, "cdk.out") });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** An engine that runs in front of an API, and the commands that speak to it. */
async function setUp() {
  const api = await RecordingApi.start();
  onTestFinished(() => api[Symbol.asyncDispose]());
  const dataFolder = await mkdtemp(join(folder, "data-"));
  const plan = readPlan(readAssembly(join(folder, "cdk.out")), { ApiUrl: api.url });
  const parts = new AsyncDisposableStack();
  onTestFinished(() => parts.disposeAsync());
  const engine = parts.use(await Engine.start(plan, { dataFolder }));
  parts.use(new ServicesFile(dataFolder, engine.services));
  const run = async (command: Command, ...args: readonly string[]) => {
    const { terminal, lines } = testTerminal();
    const isDone = await command([...args, "--data", dataFolder], terminal);
    return { isDone, lines: lines() };
  };
  const payload = Buffer.from(JSON.stringify({ header: { authorization: "Bearer hush" }, body: JSON.parse(body) }));
  return {
    api,
    dataFolder,
    endEngine: () => parts.disposeAsync(),
    send: (deviceId: string) => engine.accept({ topic: `v1/drivers/${deviceId}/location`, payload }),
    /** On the route with a lease, with the device's own message id. */
    order: (messageId: string, content: number) => {
      const envelope = { header: { "idempotency-key": messageId }, body: content };
      return engine.accept({ topic: "v1/drivers/d42/order", payload: Buffer.from(JSON.stringify(envelope)) });
    },
    isSettled: () => expect.poll(() => engine.counts.pending, { timeout: 10_000 }).toBe(0),
    deadLetters: (...args: readonly string[]) => run(deadLettersCommand, ...args, "--config", configFile),
    messages: (...args: readonly string[]) => run(messagesCommand, ...args, "--config", configFile),
    ledger: () => run(ledgerCommand),
  };
}

test("a message that the API refuses is listed, shown and, when it takes it, delivered with the same key", async () => {
  const { api, send, isSettled, deadLetters, ledger } = await setUp();
  api.answerOnce(422);
  await send("d42");
  const [refused] = await api.take(1);
  await isSettled();

  const [, row = ""] = (await deadLetters("list", "--route", "location")).lines;
  const [, id = "", ...rest] = row.split(/\s+/);
  expect(rest).toEqual(["location", "d42", "HTTP_422", "1", "dead"]);
  expect(id).toBe(refused?.headers["idempotency-key"]);

  const shown = (await deadLetters("show", id)).lines;
  expect(shown).toContain("reason  HTTP_422: the API answered 422");
  expect(shown).toContain("  POST /v1/drivers/d42/location");
  expect(shown).toContain("  authorization: (masked)");
  expect(shown).toContain("answer  422");

  expect((await deadLetters("replay", id, "--dry-run")).lines).toEqual(["1 would be replayed (location 1)"]);
  expect(await deadLetters("replay", id)).toEqual({ isDone: true, lines: ["1 replayed (location 1)"] });
  const [delivered] = await api.take(1);
  expect(delivered?.headers).toMatchObject({ "idempotency-key": id, "x-attempt": "1" });
  expect(delivered?.body).toEqual(refused?.body);
  await isSettled();

  expect(await deadLetters("replay", id)).toEqual({
    isDone: true,
    lines: [`${id}  not replayed: it is replayed already`, "0 replayed"],
  });
  expect((await deadLetters("list")).lines).toEqual(["no dead letters"]);
  const { isDone, lines } = await ledger();
  expect(lines.at(-1)).toBe("adds up");
  expect(isDone).toBe(true);
  expect(api.requests).toEqual([]);
});

test("a replay that the API refuses again is dead again, and what is dropped stays dropped", async () => {
  const { api, send, isSettled, deadLetters } = await setUp();
  api.answerOnce(422);
  await send("d42");
  const [first] = await api.take(1);
  await isSettled();
  api.answerOnce(400);
  await deadLetters("replay", "--reason", "HTTP_422");
  const [second] = await api.take(1);
  expect(second?.headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
  await isSettled();
  expect((await deadLetters("list")).lines[1]).toContain("HTTP_400");
  expect((await deadLetters("drop", "--device", "d42")).lines).toEqual(["1 dropped (location 1)"]);
  expect((await deadLetters("replay", "--all")).lines).toEqual(["0 replayed"]);
  expect((await deadLetters("list", "--state", "dropped")).lines[1]).toContain("d42");
});

test("every message of a route that keeps them can be replayed, delivered or not", async () => {
  const { api, send, isSettled, messages, ledger } = await setUp();
  await Promise.all([send("d1"), send("d2"), send("d2")]);
  const first = await api.take(3);
  await isSettled();
  const rows = (await messages("list", "--device", "d2")).lines.slice(1);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toContain('{"header":');
  expect((await messages("replay", "--all", "--dry-run")).lines).toEqual(["3 would be replayed (location 3)"]);
  expect((await messages("replay", "--device", "d2", "--since", "1h")).lines).toEqual(["2 replayed (location 2)"]);
  const again = await api.take(2);
  await isSettled();
  const keys = (requests: typeof first) => requests.map(({ headers }) => headers["idempotency-key"]).sort();
  expect(keys(again)).toEqual(keys(first.filter(({ path }) => path?.includes("/d2/"))));
  expect((await ledger()).lines.at(-1)).toBe("adds up");
});

test("pay-28: on a route with a lease, a message that comes again is sent once, and an id with another body is dead", async () => {
  const { api, order, isSettled, deadLetters, ledger } = await setUp();
  api.answerOnce(503); // gives the lease back
  await order("m1", 1);
  const attempts = await api.take(2);
  await isSettled();
  expect(attempts.map(({ headers }) => [headers["idempotency-key"], headers["x-attempt"]])).toEqual([
    ["d42/m1", "1"],
    ["d42/m1", "2"],
  ]);
  await order("m1", 1);
  await order("m1", 2);
  await order("m2", 1);
  await isSettled();
  expect(api.requests.map(({ headers }) => headers["idempotency-key"])).toEqual(["d42/m2"]);
  const [, row = "", ...rest] = (await deadLetters("list")).lines;
  expect(row.split(/\s+/).slice(2)).toEqual(["order", "d42", "MESSAGE_ID_REUSED", "0", "dead"]);
  expect(rest).toEqual([]);
  expect((await ledger()).lines.at(-1)).toBe("adds up");
});

test("the ledger of an engine that has ended adds up, until somebody takes a message away", async () => {
  const { api, endEngine, send, dataFolder } = await setUp();
  api.answerOnce(503);
  await send("d42");
  await api.take(1);
  await endEngine();
  const ledger = () => {
    const command = [join(projectRoot, "operate/ledger.ts"), "--data", dataFolder];
    const { status, stdout } = spawnSync(process.execPath, command, { encoding: "utf8" });
    return { status, line: stdout.trimEnd().split("\n").at(-1) };
  };
  expect(ledger()).toEqual({ status: 0, line: "adds up" });

  const { freshQueue, retryQueue } = resourceNames({ name: "letters", stage: "test" });
  const database = new DatabaseSync(join(dataFolder, "queues.sqlite"));
  for (const queue of [freshQueue("location"), retryQueue("location")]) {
    database.exec(`DELETE FROM "queue ${queue}"`);
  }
  database.close();
  expect(ledger()).toEqual({ status: 1, line: "does not add up: letters_test_location misses 1" });
});
