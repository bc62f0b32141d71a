import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Engine } from "../engine/engine.ts";
import { ServicesFile } from "../engine/services-file.ts";
import { readAssembly } from "../engine/template/assembly.ts";
import { readPlan } from "../engine/template/read-plan.ts";
import { projectRoot } from "../infra/bundle.ts";
import { synthesize } from "../infra/synthesize.ts";
import { idOf, memberOf } from "../lambdas/forward/frames/test-member.ts";
import { deadLettersCommand } from "../operate/dead-letters-command.ts";
import { ledgerCommand } from "../operate/ledger-command.ts";
import type { Command } from "../operate/run-command.ts";
import { testTerminal } from "../operate/testing.ts";
import { encodeFrame } from "../scheme/frame/encode.ts";
import type { FrameMember } from "../scheme/frame/frame.ts";
import { framesTopic } from "../scheme/ingest.ts";
import type { Qos, Scheme } from "../scheme/scheme.ts";
import { RecordingApi } from "./support/recording-api.ts";

// Frames as the relay publishes them, through the engine and the bundles to the API, its retries and the dead letters.

const configFile = join(projectRoot, "test/frames.config.ts");
let folder: string;
let scheme: Scheme;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trestle-frames-"));
  ({ scheme } = await synthesize({ configFile, outDir: join(folder, "cdk.out") }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

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
    return { isDone: await command([...args, "--data", dataFolder], terminal), lines: lines() };
  };
  const topic = framesTopic(scheme.framesRuleName ?? "");
  return {
    api,
    publish: (members: readonly FrameMember[], qos: Qos = 1) =>
      engine.accept({ topic, payload: encodeFrame({ qos, members }) }),
    isSettled: () => expect.poll(() => engine.counts.pending, { timeout: 20_000 }).toBe(0),
    lineOf: (ruleName: string) => engine.ledger().find(({ account }) => account === ruleName),
    deadLetters: (...args: readonly string[]) => run(deadLettersCommand, ...args, "--config", configFile),
    ledger: () => run(ledgerCommand),
  };
}

test("delivers the messages of a frame, what fails later, with the same key, and the ledger adds up", async () => {
  const { api, publish, isSettled, lineOf, deadLetters, ledger } = await setUp();
  api.answerOnce(503);
  api.answerOnce(422);
  const members = Array.from({ length: 100 }, (_, n) => memberOf(n));
  await publish(members);
  const requests = await api.take(101);
  await isSettled();

  const attempts = Map.groupBy(requests, ({ headers }) => headers["idempotency-key"]);
  expect([...attempts.keys()].toSorted()).toEqual(members.map(({ id }) => id));
  const twice = [...attempts.values()].filter(({ length }) => length === 2);
  expect(twice.map((each) => each.map(({ headers }) => headers["x-attempt"]))).toEqual([["1", "2"]]);
  expect(lineOf("frames_test_location")).toMatchObject({ received: 100, delivered: 99, dead: 1, pending: 0 });
  expect((await ledger()).isDone).toBe(true);
  expect((await deadLetters("list", "--reason", "HTTP_422")).lines).toHaveLength(2);
});

test("a frame of QoS 0 is tried once", async () => {
  const { api, publish, isSettled, lineOf } = await setUp();
  api.answerOnce(503);
  const topic = "v1/drivers/d1/health";
  await publish([memberOf(1, { topic }), memberOf(2, { topic })], 0);
  expect(await api.take(2)).toHaveLength(2);
  await isSettled();
  expect(lineOf("frames_test_health")).toMatchObject({ received: 2, delivered: 1, dropped: 1 });
});

test("a message that came in parts is replayed as a whole", async () => {
  const { api, publish, isSettled, deadLetters, ledger } = await setUp();
  const body = "x".repeat(180_000);
  const payload = Buffer.from(JSON.stringify({ header: {}, body }));
  const cuts = [payload.subarray(0, 100_000), payload.subarray(100_000)];
  for (const [part, bytes] of cuts.entries()) {
    const refusal = { reason: "PAYLOAD_TOO_LARGE", detail: "180025 bytes", part, parts: cuts.length };
    await publish([memberOf(7, { payload: bytes, refusal })]);
  }
  await isSettled();
  expect(api.requests).toEqual([]);
  expect((await deadLetters("list", "--device", "d7")).lines[1]).toMatch(/location +d7 +PAYLOAD_TOO_LARGE +0 +dead/);
  expect(await deadLetters("replay", idOf(7))).toMatchObject({ isDone: true });
  const [replayed] = await api.take(1);
  expect(replayed?.headers["idempotency-key"]).toBe(idOf(7));
  expect(replayed?.body.toString()).toBe(body);
  await isSettled();
  expect((await ledger()).isDone).toBe(true);
});
