import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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
const parts = new AsyncDisposableStack();
let scheme: Scheme;
let api: RecordingApi;
let engine: Engine;
let dataFolder: string;

beforeAll(async () => {
  const folder = parts.adopt(await mkdtemp(join(tmpdir(), "trestle-frames-")), (path) => rm(path, { recursive: true }));
  ({ scheme } = await synthesize({ configFile, outDir: join(folder, "cdk.out") }));
  api = parts.use(await RecordingApi.start());
  const plan = readPlan(readAssembly(join(folder, "cdk.out")), { ApiUrl: api.url });
  dataFolder = join(folder, "data");
  engine = parts.use(await Engine.start(plan, { dataFolder }));
  parts.use(new ServicesFile(dataFolder, engine.services));
});

afterAll(() => parts.disposeAsync());

async function publish(members: readonly FrameMember[], qos: Qos = 1): Promise<void> {
  const topic = framesTopic(scheme.framesRuleName ?? "");
  await engine.accept({ topic, payload: encodeFrame({ qos, members }) });
}

async function settled(): Promise<void> {
  await expect.poll(() => engine.counts.pending, { timeout: 20_000 }).toBe(0);
}

function lineOf(ruleName: string) {
  return engine.ledger().find(({ account }) => account === ruleName);
}

async function run(command: Command, ...args: readonly string[]) {
  const { terminal, lines } = testTerminal();
  return { isDone: await command([...args, "--data", dataFolder], terminal), lines: lines() };
}

const deadLetters = (...args: readonly string[]) => run(deadLettersCommand, ...args, "--config", configFile);
const ledger = () => run(ledgerCommand);

test("delivers the messages of a frame, what fails later, with the same key, and the ledger adds up", async () => {
  api.answerOnce(503);
  api.answerOnce(422);
  const members = Array.from({ length: 100 }, (_, n) => memberOf(n));
  await publish(members);
  const requests = await api.take(101);
  await settled();

  const attempts = Map.groupBy(requests, ({ headers }) => headers["idempotency-key"]);
  expect([...attempts.keys()].toSorted()).toEqual(members.map(({ id }) => id));
  const twice = [...attempts.values()].filter(({ length }) => length === 2);
  expect(twice.map((each) => each.map(({ headers }) => headers["x-attempt"]))).toEqual([["1", "2"]]);
  expect(lineOf("frames_test_location")).toMatchObject({ received: 100, delivered: 99, dead: 1, pending: 0 });
  expect((await ledger()).isDone).toBe(true);
  expect((await deadLetters("list", "--reason", "HTTP_422")).lines).toHaveLength(2);
});

test("a frame of QoS 0 is tried once", async () => {
  api.answerOnce(503);
  const topic = "v1/drivers/d1/health";
  await publish([memberOf(1, { topic }), memberOf(2, { topic })], 0);
  expect(await api.take(2)).toHaveLength(2);
  await settled();
  expect(lineOf("frames_test_health")).toMatchObject({ received: 2, delivered: 1, dropped: 1 });
});

test("a message that came in parts is replayed as a whole", async () => {
  const body = "x".repeat(180_000);
  const payload = Buffer.from(JSON.stringify({ header: {}, body }));
  const cuts = [payload.subarray(0, 100_000), payload.subarray(100_000)];
  for (const [part, bytes] of cuts.entries()) {
    const refusal = { reason: "PAYLOAD_TOO_LARGE", detail: "180025 bytes", part, parts: cuts.length };
    await publish([memberOf(700, { payload: bytes, refusal })]);
  }
  await settled();
  expect(api.requests).toEqual([]);
  expect((await deadLetters("list", "--device", "d700")).lines[1]).toMatch(
    /location +d700 +PAYLOAD_TOO_LARGE +0 +dead/,
  );
  expect(await deadLetters("replay", idOf(700))).toMatchObject({ isDone: true });
  const [replayed] = await api.take(1);
  expect(replayed?.headers["idempotency-key"]).toBe(idOf(700));
  expect(replayed?.body.toString()).toBe(body);
  await settled();
  expect((await ledger()).isDone).toBe(true);
});
