import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, onTestFinished, test } from "vitest";
import { Queue } from "../engine/services/queue.ts";
import { QueueStore } from "../engine/services/queue-store.ts";
import { ServiceEndpoint } from "../engine/services/service-endpoint.ts";
import { sqsApi } from "../engine/services/sqs-api.ts";
import { temporaryFolder } from "../engine/testing.ts";
import { createProbe } from "../lambdas/circuit/probe.ts";
import { createDeliver } from "../lambdas/forward/deliver.ts";
import { createSchedule } from "../lambdas/forward/policy.ts";
import { ApiConnection } from "../lambdas/forward/send.ts";
import { startApi } from "../lambdas/forward/test-api.ts";
import { ingestMessage, testScheme } from "../lambdas/forward/test-message.ts";
import { AttemptLog } from "../lambdas/store/attempt-log.ts";
import { RouteStates } from "../lambdas/store/route-states.ts";
import { startTables } from "../lambdas/store/testing.ts";

// The function `circuit` takes a message out of the engine's queue, through the AWS SDK, and attempts it.

const { routes } = testScheme;

async function setUp(statuses: readonly number[], headers: Readonly<Record<string, string>> = {}) {
  const clock = { now: Date.parse("2026-01-31T12:00:00Z") };
  const now = () => clock.now;
  const answers = [...statuses];
  const api = await startApi((response) => response.writeHead(answers.shift() ?? 200, headers).end());
  const store = new QueueStore(temporaryFolder());
  const [url, arn] = ["https://sqs.us-east-1.amazonaws.com/1/retry", "arn:aws:sqs:us-east-1:1:retry"];
  const limits = { visibilityTimeoutMs: 600_000, retentionMs: 1e9, maximumMessageBytes: 262_144, redrive: undefined };
  const queue = new Queue({ name: "retry", arn, ...limits }, store, { now });
  const endpoint = await ServiceEndpoint.start({ sqs: sqsApi(new Map([[url, queue]])) });
  const client = new SQSClient({
    ...{ endpoint: endpoint.url("sqs"), useQueueUrlAsEndpoint: false, region: "us-east-1" },
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const connection = new ApiConnection(api.url, { connections: 1, timeoutMs: 2_000 });
  const { client: dynamo, deliveries } = await startTables();
  onTestFinished(async () => {
    client.destroy();
    await endpoint[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
    queue[Symbol.dispose]();
    store[Symbol.dispose]();
  });
  const attemptLog = new AttemptLog(dynamo, deliveries, now);
  const states = new RouteStates(dynamo, deliveries, now);
  const errors: unknown[] = [];
  const apiFields = { fields: [], overridden: new Set<string>(), secretNames: new Set<string>(), signingKeys: [] };
  const probe = createProbe({
    ...{ client, routes, attemptLog, states, now },
    queueUrl: () => url,
    deliver: createDeliver({ apiUrl: api.url, apiHeaders: async () => apiFields, connection, now }),
    nextStep: createSchedule({ delaysSeconds: undefined, maximumDelaySeconds: 43_000, random: () => 0 }),
    report: { add: () => {}, deadLettered: () => {} },
    onError: (error) => errors.push(error),
  });
  const send = (body: unknown) => queue.send(JSON.stringify(body));
  return { clock, api, queue, attemptLog, states, probe: () => probe("location"), send, errors };
}

test("finds nothing in an empty queue", async () => {
  const { probe, api } = await setUp([]);
  expect(await probe()).toBe("nothing");
  expect(api.requests).toEqual([]);
});

test("delivers one message, as an attempt after those before", async () => {
  const { probe, send, queue, api, attemptLog, clock } = await setUp([204]);
  await send(ingestMessage({ id: "m1" }));
  await send(ingestMessage({ id: "m2" }));
  await attemptLog.write(new Map([["m1", [{ at: clock.now - 5000, code: "HTTP_503", status: 503 }]]]));
  expect(await probe()).toBe("success");
  expect(queue.depth).toBe(1);
  expect(api.requests.map(({ headers }) => [headers["idempotency-key"], headers["x-attempt"]])).toEqual([["m1", "2"]]);
});

test("puts off by the schedule what fails, and notes the attempt", async () => {
  const { probe, send, queue, attemptLog, clock, errors } = await setUp([503]);
  await send(ingestMessage({ id: "m1" }));
  expect(await probe()).toBe("failure");
  expect((await attemptLog.read(["m1"])).get("m1")).toEqual([{ at: clock.now, code: "HTTP_503", status: 503 }]);
  expect(queue.attributes).toMatchObject({ visible: 0, inFlight: 1 });
  expect(errors).toEqual([]);
});

test("holds the route as long as the API says", async () => {
  const { probe, send, states, clock } = await setUp([503], { "retry-after": "120" });
  await send(ingestMessage());
  expect(await probe()).toBe("held");
  expect(await states.read("location")).toMatchObject({ holdUntil: clock.now + 120_000 });
});

test("takes the API for well that refuses one message for its own sake, and leaves the message to `forward`", async () => {
  const { probe, send, queue, attemptLog } = await setUp([422]);
  await send(ingestMessage({ id: "m1" }));
  expect(await probe()).toBe("success");
  expect(queue.attributes).toMatchObject({ visible: 1 });
  expect((await attemptLog.read(["m1"])).size).toBe(0);
});

test("tries another message after one that no request can be made of", async () => {
  const { probe, send, queue, api } = await setUp([204]);
  await send("no rule's");
  await send(ingestMessage({ id: "m2" }));
  expect(await probe()).toBe("failure");
  expect(await probe()).toBe("success");
  expect(api.requests).toHaveLength(1);
  expect(queue.attributes).toMatchObject({ visible: 0, inFlight: 1 });
});
