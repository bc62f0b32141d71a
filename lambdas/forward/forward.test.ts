import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { AttemptLog } from "../store/attempt-log.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { KeptMessages } from "../store/kept-messages.ts";
import { RouteStates } from "../store/route-states.ts";
import { startTables } from "../store/testing.ts";
import { createApiHeaders } from "./api-headers.ts";
import { createDeliver } from "./deliver.ts";
import { forwardDirect } from "./forward-direct.ts";
import { createForwardQueued } from "./forward-queued.ts";
import { createKeep } from "./keep.ts";
import { Report } from "./report.ts";
import type { Lane } from "./route-gate.ts";
import { ApiConnection } from "./send.ts";
import { startApi } from "./test-api.ts";
import { ingestMessage, sqsRecord, testScheme } from "./test-message.ts";
import type { VisibilityChange } from "./visibility.ts";

// What Lambda would write into the log group: metrics and log lines of Powertools, each a line of JSON.
const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** What both ways into `forward` share, on a test's API. */
function setUp(apiUrl: URL, { parallelRequests = 10, fetchSecret = async () => "s3cret" } = {}) {
  const { routes } = testScheme;
  const connection = new ApiConnection(apiUrl, { connections: parallelRequests, timeoutMs: 2_000 });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  const headers = new Map([["x-api-key", { kind: "secret", name: "acme/key" } as const]]);
  const apiHeaders = createApiHeaders({ headers, signing: [], fetchSecret, onStale: () => {} });
  const deliver = createDeliver({ apiUrl, apiHeaders, connection });
  const metrics = new Metrics({ namespace: "Trestle", serviceName: "test-prod" });
  return { deliver, report: new Report({ logger: new Logger(), metrics, routes }), parallelRequests, routes };
}

/** The whole of `forward` behind a queue, with a database of its own. */
async function setUpQueued(apiUrl: URL, lane: Lane, options: Parameters<typeof setUp>[1] = {}) {
  const { client, ...tables } = await startTables();
  const attemptLog = new AttemptLog(client, tables.deliveries);
  const deadLetters = new DeadLetters(client, tables.deadLetters, 14);
  const changes: VisibilityChange[] = [];
  const forward = createForwardQueued({
    ...setUp(apiUrl, options),
    ...{ scheme: testScheme, lane, attemptLog, deadLetters, maximumDelaySeconds: 43_000, random: () => 0 },
    states: new RouteStates(client, tables.deliveries),
    keep: createKeep(new KeptMessages(client, tables.messages)),
    changeVisibility: async (more) => void changes.push(...more),
    announce: async () => {},
    onError: (error) => expect.unreachable(String(error)),
  });
  const delays = () => Object.fromEntries(changes.map(({ receiptHandle, seconds }) => [receiptHandle, seconds]));
  return { forward, attemptLog, deadLetters, delays };
}

test("delivers a batch and settles each message alone", async () => {
  const api = await startApi((response, { body }) => {
    response.statusCode = { 13: 500, 14: 422 }[body.toString()] ?? 200;
    response.end("because");
  });
  const records = [
    sqsRecord("m1", ingestMessage({}, { body: 1 })),
    sqsRecord("m2", ingestMessage({}, { body: 13 })),
    sqsRecord("m3", ingestMessage({}, "no envelope")),
    sqsRecord("m4", "no rule's"),
    sqsRecord("m5", ingestMessage({ topic: "v1/drivers/d.7/location" }, { body: 5 })),
    sqsRecord("m6", ingestMessage({}, { header: { Authorization: "Bearer hush" }, body: 6 })),
    sqsRecord("m7", ingestMessage({}, { body: 14 })),
  ];
  const { forward, attemptLog, deadLetters, delays } = await setUpQueued(api.url, "fresh");
  const { batchItemFailures, dead } = await forward(records);
  expect(batchItemFailures).toEqual([{ itemIdentifier: "m2" }]);
  expect(dead?.toSorted()).toEqual(["m3", "m4", "m5", "m7"]);
  expect(delays()).toEqual({ "handle-m2": 5 });
  expect((await attemptLog.read(["m1", "m2"])).get("m2")).toEqual([
    { at: expect.any(Number), code: "HTTP_500", status: 500 },
  ]);
  expect(api.requests.map(({ body }) => body.toString()).sort()).toEqual(["1", "13", "14", "6"]);
  expect(api.requests.find(({ body }) => body.toString() === "13")?.headers).toMatchObject({
    "idempotency-key": "m2",
    "x-attempt": "1",
    "x-api-key": "s3cret",
    "content-length": "2",
    host: api.url.host,
  });
  expect(await deadLetters.get("m5")).toMatchObject({ route: "location", reason: "DEVICE_ID_INVALID", attempts: [] });
  expect(await deadLetters.get("m4")).toMatchObject({
    route: "unknown",
    reason: "TOPIC_NOT_ROUTED",
    message: "no rule's",
  });
  const letter = await deadLetters.get("m7");
  expect(letter).toMatchObject({ reason: "HTTP_422", deviceId: "d42", attempts: [{ code: "HTTP_422", status: 422 }] });
  expect(letter?.request?.headers).toContainEqual(["x-api-key", "(secret)"]);
  expect(Buffer.from(letter?.answer?.body ?? []).toString()).toBe("because");
  const log = lines.join("");
  expect(log).toMatch(/"level":"WARN","message":"message refused".*"code":"DEVICE_ID_INVALID".*"messageId":"m5"/);
  expect(log).toMatch(/"message":"message not delivered".*"code":"HTTP_500".*"messageId":"m2"/);
  expect(log).toMatch(/"service":"test-prod","route":"location","Received":6,"Delivered":2,"DeadLettered":3/);
  expect(log).not.toMatch(/hush|s3cret/);
});

test("goes on with a message's attempts where they were, with the same key", async () => {
  const api = await startApi((response) => response.writeHead(503).end());
  const { forward, attemptLog, delays } = await setUpQueued(api.url, "retry");
  await attemptLog.write(new Map([["m1", [1, 2, 3].map((at) => ({ at, code: "TIMEOUT" }))]]));
  const replay = { ...ingestMessage(), id: "m0" };
  expect(await forward([sqsRecord("m1", ingestMessage(), 9), sqsRecord("m2", replay)])).toMatchObject({
    batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m2" }],
  });
  expect(api.requests.map(({ headers }) => [headers["idempotency-key"], headers["x-attempt"]]).sort()).toEqual([
    ["m0", "1"],
    ["m1", "4"],
  ]);
  expect(delays()).toEqual({ "handle-m1": 1800, "handle-m2": 5 });
  expect((await attemptLog.read(["m1"])).get("m1")).toHaveLength(4);
});

test("has as many requests under way as it may", async () => {
  let underWay = 0;
  let most = 0;
  const api = await startApi((response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    setTimeout(() => {
      underWay -= 1;
      response.end();
    }, 20);
  });
  const records = Array.from({ length: 10 }, (_, index) => sqsRecord(`m${index}`, ingestMessage()));
  const { forward } = await setUpQueued(api.url, "fresh", { parallelRequests: 3 });
  expect(await forward(records)).toEqual({ batchItemFailures: [] });
  expect(most).toBe(3);
  expect(api.requests).toHaveLength(10);
});

test("puts off every message, without a request, where a secret cannot be read", async () => {
  const api = await startApi();
  const fetchSecret = async (): Promise<string> => {
    throw new Error("AccessDeniedException");
  };
  const records = [sqsRecord("m1", ingestMessage()), sqsRecord("m2", ingestMessage())];
  const { forward, delays } = await setUpQueued(api.url, "fresh", { fetchSecret });
  expect((await forward(records)).batchItemFailures).toHaveLength(2);
  expect(delays()).toEqual({ "handle-m1": 5, "handle-m2": 5 });
  expect(api.requests).toEqual([]);
  expect(lines.join("")).toMatch(/"code":"INTERNAL","reason":"no request was made: Error: AccessDeniedException"/);
});

const health = ingestMessage({ topic: "v1/drivers/d42/health", route: "health" });

test("delivers a direct event's message, whose key is its trace id", async () => {
  const api = await startApi();
  await forwardDirect(health, "request-1", setUp(api.url));
  expect(api.requests).toMatchObject([
    { method: "PUT", path: "/health/d42", headers: { "idempotency-key": health.traceId, "x-attempt": "1" } },
  ]);
});

test("takes Lambda's id where a message has no trace id", async () => {
  const api = await startApi();
  const { traceId: _, ...message } = health;
  await forwardDirect(message, "request-1", setUp(api.url));
  expect(api.requests[0]?.headers["idempotency-key"]).toBe("request-1");
});

test.for([
  ["the API's refusal", health, 503, "HTTP_503", /"route":"health","code":"HTTP_503","Failed":1/],
  ["an unusable message", { ...health, data: "" }, 200, "ENVELOPE_NOT_JSON", /"code":"ENVELOPE_NOT_JSON","Refused":1/],
  ["an event that is no message", { hello: 1 }, 200, "TOPIC_NOT_ROUTED", /"code":"TOPIC_NOT_ROUTED","Refused":1/],
] as const)("throws and counts %s", async ([, event, status, code, metric]) => {
  const api = await startApi((response) => {
    response.statusCode = status;
    response.end();
  });
  await expect(forwardDirect(event, "request-1", setUp(api.url))).rejects.toMatchObject({ code });
  expect(lines.join("")).toMatch(metric);
});
