import { expect, onTestFinished, test } from "vitest";
import { defineScheme } from "../../../scheme/define-scheme.ts";
import type { FrameMember } from "../../../scheme/frame/frame.ts";
import type { IngestFrame } from "../../../scheme/ingest.ts";
import { AttemptLog } from "../../store/attempt-log.ts";
import { DeadLetters } from "../../store/dead-letters.ts";
import { KeptMessages } from "../../store/kept-messages.ts";
import { RouteStates } from "../../store/route-states.ts";
import { startTables } from "../../store/testing.ts";
import { createApiHeaders } from "../api-headers.ts";
import { createDeliver } from "../deliver.ts";
import { createKeep } from "../keep.ts";
import { Report } from "../report.ts";
import { ApiConnection } from "../send.ts";
import { startApi, type TestApi } from "../test-api.ts";
import { sqsRecord } from "../test-message.ts";
import { createForwardFrames, type ForwardFramesOptions } from "./forward-frames.ts";
import type { HandedOn } from "./hand-on.ts";
import { idOf, ingestFrame, memberOf } from "./test-member.ts";

const scheme = defineScheme({
  name: "test",
  api: { url: "https://api.example.com", timeoutMs: 2_000 },
  uplink: "relay",
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1, keep: { days: 1 } },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
    alarm: { topic: "v1/drivers/{deviceId}/alarm", qos: 1 },
  },
});
const { routes } = scheme;

/** The function, with a database and an API of its own; queues remember what they were sent. */
async function setUp(api: TestApi, change: Partial<ForwardFramesOptions> = {}) {
  const { client, ...tables } = await startTables();
  const connection = new ApiConnection(api.url, { connections: 10, timeoutMs: scheme.api.timeoutMs });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  const apiHeaders = createApiHeaders({
    headers: new Map(),
    signing: [],
    fetchSecret: async () => expect.unreachable(),
    onStale: () => {},
  });
  const metered: Record<string, number> = {};
  const metrics = {
    addDimension: () => metrics as never,
    addMetric: (name: string, _: unknown, value: number) => {
      metered[name] = (metered[name] ?? 0) + value;
      return metrics as never;
    },
    publishStoredMetrics: () => metrics as never,
  };
  const queued: HandedOn[] = [];
  const heard: string[] = [];
  const errors: string[] = [];
  const attemptLog = new AttemptLog(client, tables.deliveries);
  const deadLetters = new DeadLetters(client, tables.deadLetters, 14);
  const keptMessages = new KeptMessages(client, tables.messages);
  const states = new RouteStates(client, tables.deliveries);
  const forward = createForwardFrames({
    ...{ scheme, attemptLog, deadLetters, states, parallelRequests: 10, random: () => 0 },
    deliver: createDeliver({ apiUrl: api.url, apiHeaders, connection }),
    report: new Report({ logger: { warn: () => {} }, metrics, routes }),
    keep: createKeep(keptMessages),
    online: { heard: ({ deviceId }) => void heard.push(deviceId) },
    announce: async () => {},
    handOn: async (messages) => void queued.push(...messages),
    onError: (error) => errors.push(String(error)),
    ...change,
  });
  /** @param remainingMs What is left of the invocation's time. */
  const invoke = (event: unknown, remainingMs: () => number = () => 60_000) =>
    forward(event, { awsRequestId: "request-1", getRemainingTimeInMillis: remainingMs });
  const kept = async () => {
    const found: string[] = [];
    for await (const { id } of keptMessages.list()) found.push(id);
    return found.sort();
  };
  return { invoke, attemptLog, deadLetters, states, kept, queued, heard, errors, metered };
}

/** An API that answers with the status that a message's body is, or 200. */
async function startStatusApi(): Promise<TestApi> {
  return await startApi((response, { body }) => {
    const status = Number(body);
    response.writeHead(status >= 400 ? status : 200).end("because");
  });
}

const ids = (queued: readonly HandedOn[]) => queued.map(({ body }) => JSON.parse(body).id).sort();

test("settles each message of a frame alone", async () => {
  const api = await startStatusApi();
  const { invoke, attemptLog, deadLetters, queued, heard, kept, metered } = await setUp(api);
  const members = [
    memberOf(1),
    memberOf(500),
    memberOf(422),
    memberOf(4, { payload: Buffer.from("no envelope") }),
    memberOf(5, { topic: "v1/drivers/d5/alarm" }),
    memberOf(6, { topic: "elsewhere" }),
  ];
  expect(await invoke(ingestFrame(members))).toEqual({
    ledger: {
      test_prod_location: { delivered: 1, dead: 2 },
      test_prod_alarm: { delivered: 1 },
      test_prod_relay_frames: { dead: 1 },
    },
  });
  const delivered = api.requests.find(({ body }) => body.toString() === "1");
  expect(delivered?.headers).toMatchObject({ "idempotency-key": idOf(1), "x-attempt": "1", "x-device-id": "d1" });
  expect(queued).toEqual([{ route: "location", body: expect.any(String), delaySeconds: 5 }]);
  expect(JSON.parse(queued[0]?.body ?? "")).toMatchObject({ id: idOf(500), route: "location", broker: "relay-1" });
  expect((await attemptLog.read([idOf(500)])).get(idOf(500))).toMatchObject([{ code: "HTTP_500", status: 500 }]);
  expect(await deadLetters.get(idOf(422))).toMatchObject({ reason: "HTTP_422", route: "location", deviceId: "d422" });
  expect(await deadLetters.get(idOf(4))).toMatchObject({ reason: "ENVELOPE_NOT_JSON", route: "location" });
  expect(await deadLetters.get(idOf(6))).toMatchObject({ reason: "TOPIC_NOT_ROUTED", route: "unknown" });
  expect(heard).toEqual(["d1", "d500", "d422", "d4", "d5"]);
  expect(await kept()).toEqual([1, 4, 422, 500].map(idOf));
  expect(metered).toMatchObject({ Received: 6, Delivered: 2, DeadLettered: 3 });
});

test("a message with an id of its device's own keeps it, in a frame too", async () => {
  const api = await startStatusApi();
  const { invoke } = await setUp(api);
  const payload = Buffer.from('{"header":{"Idempotency-Key":"7"},"body":1}');
  await invoke(ingestFrame([memberOf(1, { payload })]));
  expect(api.requests[0]?.headers["idempotency-key"]).toBe("d1/7");
});

test("a frame that comes again gives the API the same keys", async () => {
  const api = await startStatusApi();
  let isQueueThere = false;
  const { invoke, metered, kept } = await setUp(api, {
    handOn: async () => {
      if (!isQueueThere) throw new Error("no such queue");
    },
  });
  const frame = ingestFrame([memberOf(1), memberOf(503)]);
  await expect(invoke(frame)).rejects.toThrow("no such queue");
  isQueueThere = true;
  expect(await invoke(frame)).toEqual({ ledger: { test_prod_location: { delivered: 1 } } });
  const keys = api.requests.map(({ headers }) => headers["idempotency-key"]);
  expect(keys.toSorted()).toEqual([1, 1, 503, 503].map(idOf));
  expect(await kept()).toEqual([1, 503].map(idOf));
  expect(metered.Received).toBe(2);
});

const unwritable = { put: () => Promise.reject(new Error("table is gone")) };

test.for<[string, Partial<ForwardFramesOptions>, FrameMember, number]>([
  ["keep a message", { keep: unwritable.put }, memberOf(1), 0],
  ["record a dead letter", { deadLetters: unwritable }, memberOf(422), 1],
  ["record what the relay refused", { deadLetters: unwritable }, memberOf(1, { refusal: refusal() }), 0],
])("fails where it cannot %s", async ([, change, member, requests]) => {
  const api = await startStatusApi();
  const { invoke, queued } = await setUp(api, change);
  await expect(invoke(ingestFrame([member, memberOf(503)]))).rejects.toThrow("table is gone");
  expect(queued).toEqual([]);
  expect(api.requests).toHaveLength(requests * 2);
});

test("a history that cannot be written repeats no frame", async () => {
  const api = await startStatusApi();
  const { invoke, queued, errors } = await setUp(api, { attemptLog: { write: unwritable.put } });
  await invoke(ingestFrame([memberOf(503)]));
  expect(queued).toHaveLength(1);
  expect(errors).toEqual(["Error: table is gone"]);
});

test("hands on what there is no time for any more", async () => {
  const api = await startStatusApi();
  const { invoke, queued, attemptLog, kept } = await setUp(api, { parallelRequests: 1 });
  let remainingMs = 60_000;
  const members = [memberOf(1), memberOf(2), memberOf(3), memberOf(4, { topic: "elsewhere" })];
  const answer = await invoke(ingestFrame(members), () => (remainingMs -= 15_000));
  expect(answer).toEqual({ ledger: { test_prod_location: { delivered: 2 }, test_prod_relay_frames: { dead: 1 } } });
  expect(queued).toMatchObject([{ route: "location", delaySeconds: 0 }]);
  expect(ids(queued)).toEqual([idOf(3)]);
  expect(await attemptLog.read([idOf(3)])).toEqual(new Map());
  expect(await kept()).toHaveLength(3);
});

test("attempts nothing of a route whose circuit is open, and all of the others", async () => {
  const api = await startStatusApi();
  const { invoke, queued, states } = await setUp(api);
  await states.open("location", { reason: "FAILURES_IN_A_ROW", probeAt: Date.now() + 60_000 });
  const alarm = memberOf(3, { topic: "v1/drivers/d3/alarm" });
  expect(await invoke(ingestFrame([memberOf(1), memberOf(2), alarm]))).toEqual({
    ledger: { test_prod_alarm: { delivered: 1 } },
  });
  expect(ids(queued)).toEqual([1, 2].map(idOf));
  expect(queued).toMatchObject([{ delaySeconds: 0 }, { delaySeconds: 0 }]);
});

test("tries what is QoS 0 once, and counts what failed", async () => {
  const api = await startStatusApi();
  const { invoke, queued, kept, metered } = await setUp(api, { deadLetters: unwritable });
  const health = (n: number) => memberOf(n, { topic: `v1/drivers/d${n}/health` });
  const members = [health(1), health(503), health(422), memberOf(500), memberOf(4, { topic: "elsewhere" })];
  expect(await invoke(ingestFrame(members, 0))).toEqual({
    ledger: {
      test_prod_health: { delivered: 1, dropped: 2 },
      test_prod_location: { dropped: 1 },
      test_prod_relay_frames: { dropped: 1 },
    },
  });
  expect(queued).toEqual([]);
  expect(await kept()).toEqual([]);
  expect(metered).toMatchObject({ Received: 5, Delivered: 1, Failed: 3, Refused: 1 });
});

test("a QoS 0 route's message has no second try in a frame of QoS 1 either, since the route has no queue", async () => {
  const api = await startStatusApi();
  const { invoke, queued } = await setUp(api);
  const members = [memberOf(503, { topic: "v1/drivers/d1/health" }), memberOf(500)];
  expect(await invoke(ingestFrame(members))).toEqual({ ledger: { test_prod_health: { dropped: 1 } } });
  expect(ids(queued)).toEqual([idOf(500)]);
});

test("drops what there is no time for where it is QoS 0", async () => {
  const api = await startStatusApi();
  const { invoke } = await setUp(api);
  const answer = await invoke(ingestFrame([memberOf(1)], 0), () => 5_000);
  expect(answer).toEqual({ ledger: { test_prod_location: { dropped: 1 } } });
  expect(api.requests).toEqual([]);
});

function refusal(part = 0, parts = 1) {
  return { reason: "PAYLOAD_TOO_LARGE", detail: "200000 bytes", part, parts };
}

test("what the relay refused is a dead letter, and not attempted", async () => {
  const api = await startStatusApi();
  const { invoke, deadLetters, kept, heard, metered } = await setUp(api);
  const members = [memberOf(1), memberOf(2, { refusal: { ...refusal(), reason: "TOPIC_TOO_DEEP" } })];
  expect(await invoke(ingestFrame(members))).toEqual({ ledger: { test_prod_location: { delivered: 1, dead: 1 } } });
  expect(await deadLetters.get(idOf(2))).toMatchObject({
    ...{ reason: "TOPIC_TOO_DEEP", detail: "200000 bytes", deviceId: "d2", route: "location", attempts: [] },
    message: expect.stringContaining(Buffer.from(memberOf(2).payload).toString("base64")),
  });
  expect(api.requests).toHaveLength(1);
  expect(await kept()).toEqual([idOf(1)]);
  expect(heard).toEqual(["d1"]);
  expect(metered).toMatchObject({ Received: 2, DeadLettered: 1, Refused: 1 });
});

test("what comes in parts is one dead letter, whichever frame comes first", async () => {
  const api = await startStatusApi();
  const { invoke, deadLetters, metered } = await setUp(api);
  const parts = [0, 1].map((part) =>
    memberOf(1, { payload: Buffer.alloc(100_000, part + 1), refusal: refusal(part, 2) }),
  );
  const ledgers = [];
  for (const part of parts.toReversed()) ledgers.push(await invoke(ingestFrame([part])));
  await invoke(ingestFrame([parts[1] as FrameMember])); // once more
  expect(ledgers).toEqual([{ ledger: {} }, { ledger: { test_prod_location: { dead: 1 } } }]);
  const letter = await deadLetters.get(idOf(1));
  expect(letter).toMatchObject({ reason: "PAYLOAD_TOO_LARGE", deviceId: "d1" });
  const { data, ...message } = JSON.parse(letter?.message ?? "");
  expect(message).toMatchObject({ topic: "v1/drivers/d1/location", route: "location", id: idOf(1) });
  expect(Buffer.from(data, "base64")).toEqual(Buffer.concat(parts.map(({ payload }) => payload)));
  expect(metered).toMatchObject({ Received: 1, DeadLettered: 1 });
});

test.for([
  ["bytes that are none", { frame: "e30=", broker: "b" }, "FRAME_NOT_ONE"],
  ["a frame that is cut", { frame: ingestFrame([memberOf(1)]).frame.slice(0, -8) }, "FRAME_CORRUPT"],
  ["something else", { hello: 1 }, "FRAME_NOT_ONE"],
  ["nothing", null, "FRAME_NOT_ONE"],
] as const)("what is no frame is one dead letter: %s", async ([, event, reason]) => {
  const api = await startStatusApi();
  const { invoke, deadLetters, metered } = await setUp(api);
  expect(await invoke(event)).toEqual({ ledger: { test_prod_relay_frames: { dead: 1 } } });
  expect(await deadLetters.get("request-1")).toMatchObject({
    route: "unknown",
    reason,
    message: JSON.stringify(event),
  });
  expect(metered).toMatchObject({ Received: 1, DeadLettered: 1, Refused: 1 });
});

/** What Lambda sends to the frames' queue. */
function failed(requestPayload: IngestFrame) {
  const requestContext = { requestId: "request-0", condition: "RetriesExhausted", approximateInvokeCount: 3 };
  return { version: "1.0", timestamp: "2026-01-31T12:00:00Z", requestContext, requestPayload, responsePayload: {} };
}

test("takes what Lambda gave up on from its queue", async () => {
  const api = await startStatusApi();
  const { invoke, queued } = await setUp(api);
  const Records = [sqsRecord("m1", failed(ingestFrame([memberOf(1), memberOf(503)])))];
  expect(await invoke({ Records })).toEqual({
    batchItemFailures: [],
    ledger: { test_prod_location: { delivered: 1 } },
  });
  expect(ids(queued)).toEqual([idOf(503)]);
});

test("leaves a frame in its queue that cannot be settled, and records what is none", async () => {
  const api = await startStatusApi();
  const { invoke, errors, deadLetters } = await setUp(api, {
    handOn: async () => {
      throw new Error("no such queue");
    },
  });
  const Records = [sqsRecord("m1", failed(ingestFrame([memberOf(503)]))), sqsRecord("m2", "no JSON")];
  expect(await invoke({ Records })).toEqual({
    batchItemFailures: [{ itemIdentifier: "m1" }],
    ledger: { test_prod_relay_frames: { dead: 1 } },
  });
  expect(errors).toEqual(["Error: no such queue"]);
  expect(await deadLetters.get("m2")).toMatchObject({ reason: "FRAME_NOT_ONE", message: "no JSON" });
});
