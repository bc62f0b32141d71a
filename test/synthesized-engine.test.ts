import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import cdk from "../cdk.json" with { type: "json" };
import { Engine } from "../engine/engine.ts";
import { readAssembly } from "../engine/template/assembly.ts";
import { readPlan } from "../engine/template/read-plan.ts";
import { TrestleStack } from "../infra/stack.ts";
import { createApp, synthesize } from "../infra/synthesize.ts";
import { startApi, type TestApi } from "../lambdas/forward/test-api.ts";
import { defineScheme, secret } from "../scheme/define-scheme.ts";
import {
  basicIngestTopic,
  type IngestSource,
  ingestSqlVersion,
  ingestStatement,
  repliesSource,
} from "../scheme/ingest.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { compileStatement } from "../sql/compile.ts";
import { createMessage } from "../sql/testing.ts";

let folder: string;
let scheme: Scheme;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trestle-synthesized-"));
  ({ scheme } = await synthesize({ outDir: join(folder, "cdk.out") }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the sample's topic rules are derived from. */
function sources(): readonly IngestSource[] {
  const { routes, commands } = scheme;
  return [...routes.values(), ...(commands === undefined ? [] : [repliesSource(commands)])];
}

/** The engine of the sample's template, in front of the API; it goes with the test. */
async function startEngine(api: TestApi): Promise<Engine> {
  const dataFolder = await mkdtemp(join(folder, "data-"));
  const plan = readPlan(readAssembly(join(folder, "cdk.out")), { ApiUrl: api.url.origin });
  const engine = await Engine.start(plan, { dataFolder });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  return engine;
}

/** What the ledger says of a route's messages. */
function lineOf(engine: Engine, route: string) {
  return engine.ledger().find(({ account }) => account === scheme.routes.get(route)?.ruleName);
}

test("each route of the scheme is a rule with its topic and its Basic Ingest topic, and so are the replies", async () => {
  const engine = await startEngine(await startApi());
  const wanted = sources().flatMap(({ ruleName, topic }) => [basicIngestTopic(ruleName, "#"), topic.filter]);
  expect(engine.topicFilters.toSorted()).toEqual(wanted.toSorted());
});

test("the engine takes the template of a scheme with all there is", () => {
  const outdir = join(folder, "everything");
  const app = createApp({ outdir, context: { ...cdk.context, "aws:cdk:bundling-stacks": [] } });
  const everything = defineScheme({
    name: "acme",
    api: { url: "https://api.example.com", headers: { "x-api-key": secret("acme/api-key") } },
    routes: {
      trip: { topic: "trips/{deviceId}", qos: 1, where: "v > 1", keep: { days: 30 }, lease: { hours: 24 } },
      health: { topic: "health/{deviceId}", qos: 0 },
    },
    commands: {
      topic: "Push/SDKControls/{deviceId}",
      replies: "Push/Replies/{deviceId}",
      authorization: { issuer: "https://login.example.com", audiences: ["push"], scopes: ["fleet:push"] },
    },
    feeds: { orders: { topic: "orders/{orderId}" } },
    brokers: [
      {
        url: "mqtts://broker.example.com",
        credentials: secret("acme/broker"),
        vpc: { id: "vpc-0000000a", subnetIds: ["subnet-0000000a"] },
      },
      { url: "aws-iot:" },
    ],
    alarms: { email: "ops@example.com" },
  });
  new TrestleStack(app, { scheme: everything, configFile: "trestle.config.ts" });
  app.synth();
  const { rules, queues, tables, schedules, mappings } = readPlan(readAssembly(outdir));
  const names = resourceNames(everything);
  expect(rules).toHaveLength(3);
  expect([...queues.values()].map(({ name }) => name).toSorted()).toEqual([
    names.circuitQueue,
    names.deadLetterQueue,
    names.onlineQueue,
    names.repliesQueue,
    names.retryQueue("trip"),
    names.freshQueue("trip"),
  ]);
  expect(tables.map(({ name }) => name).toSorted()).toEqual([
    names.commandsTable,
    names.deadLettersTable,
    names.deliveriesTable,
    names.messagesTable,
  ]);
  expect(mappings).toHaveLength(6);
  expect(schedules).toMatchObject(Array(2).fill({ minutes: 1, isEnabled: true }));
});

test.for(["location", "activity", "health"])("a message of the route %s is a request to the API", async (name) => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const api = await startApi((response) => {
    response.end();
    resolve();
  });
  const engine = await startEngine(api);
  const topic = `v1/drivers/d42/${name}`;
  const ruleName = scheme.routes.get(name)?.ruleName ?? "";
  const body = '{ "v": 1.0, "id": 12345678901234567890 }';
  const payload = Buffer.from(`{"header": {"x-trip": "7"}, "body": ${body}}`);
  await engine.accept({ topic: basicIngestTopic(ruleName, topic), payload });
  await arrived;
  await engine.stop();
  expect(api.requests).toMatchObject([
    { method: "POST", path: `/${topic}`, headers: { "x-trip": "7", "x-device-id": "d42", "x-mqtt-topic": topic } },
  ]);
  expect(api.requests[0]?.body.toString()).toBe(body);
  expect(lineOf(engine, name)).toMatchObject({ received: 1, delivered: 1, pending: 0 });
});

test.for([
  ["location", { received: 1, delivered: 0, pending: 1 }], // QoS 1: it stays in a queue
  ["health", { received: 1, delivered: 0, pending: 0, dropped: 1 }], // QoS 0: counted, gone
] as const)("a message of the route %s that the API could not take: %j", async ([name, line]) => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const api = await startApi((response) => {
    response.writeHead(503).end();
    resolve();
  });
  const engine = await startEngine(api);
  await engine.accept({ topic: `v1/drivers/d42/${name}`, payload: Buffer.from('{"header": {}, "body": {}}') });
  await arrived;
  await engine.stop();
  expect(lineOf(engine, name)).toMatchObject(line);
});

test("a route's statement compiles and gives what `forward` reads", () => {
  for (const route of sources()) {
    const statement = compileStatement(ingestStatement(route), { version: ingestSqlVersion });
    expect(statement.topicFilter).toBe(route.topic.filter);
    const bytes = Buffer.from([0xff, 0x00]);
    const message = createMessage(bytes, {
      topic: "v1/drivers/d42/location",
      mqttProperties: {
        contentType: "application/json",
        payloadFormatIndicator: "UTF8_DATA",
        responseTopic: "Push/Replies/d42",
        correlationData: "/wA=",
      },
      userProperties: [
        ["a", "1"],
        ["a", "2"],
      ],
    });
    expect(statement.evaluate(message)).toEqual({
      kind: "json",
      value: {
        route: route.name,
        data: bytes.toString("base64"),
        topic: "v1/drivers/d42/location",
        receivedAt: message.timestampMs,
        traceId: message.traceId,
        userProperties: [{ a: "1" }, { a: "2" }],
        contentType: "application/json",
        payloadFormat: "UTF8_DATA",
        responseTopic: "Push/Replies/d42",
        correlationData: "/wA=",
        broker: "n/a", // nobody's MQTT connection
      },
    });
  }
});

test("a route's statement does not depend on the payload, and its own WHERE does", () => {
  const [route] = scheme.routes.values();
  if (route === undefined) throw new Error("the sample has no route");
  const evaluate = (where: string | undefined, payload: Buffer) =>
    compileStatement(ingestStatement({ ...route, where }), { version: ingestSqlVersion }).evaluate(
      createMessage(payload),
    ).kind;
  expect(evaluate(undefined, Buffer.alloc(0))).toBe("json");
  expect(evaluate(undefined, Buffer.from("{"))).toBe("json");
  expect(evaluate("v > 1", Buffer.from('{"v": 2}'))).toBe("json");
  expect(evaluate("v > 1", Buffer.from('{"v": 1}'))).toBe("noMatch");
});
