import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createApiHeaders } from "./api-headers.ts";
import { createDeliver } from "./deliver.ts";
import { forwardBatch } from "./forward-batch.ts";
import { forwardDirect } from "./forward-direct.ts";
import { Report } from "./report.ts";
import { ApiConnection } from "./send.ts";
import { startApi } from "./test-api.ts";
import { ingestMessage, sqsRecord, testScheme } from "./test-message.ts";

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

/** The whole of `forward` on a test's API, as the handler puts it together. */
function setUp(apiUrl: URL, { parallelRequests = 10, fetchSecret = async () => "s3cret" } = {}) {
  const { routes } = testScheme;
  const connection = new ApiConnection(apiUrl, { connections: parallelRequests, timeoutMs: 2_000 });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  const headers = new Map([["x-api-key", { kind: "secret", name: "acme/key" } as const]]);
  const apiHeaders = createApiHeaders({ headers, signing: [], fetchSecret, onStale: () => {} });
  const deliver = createDeliver({ routes, apiUrl, apiHeaders, connection });
  const metrics = new Metrics({ namespace: "Trestle", serviceName: "test-prod" });
  return { deliver, report: new Report({ logger: new Logger(), metrics, routes }), parallelRequests };
}

test("delivers a batch and reports those messages alone that were not", async () => {
  const api = await startApi((response, { body }) => {
    response.statusCode = body.toString() === "13" ? 500 : 200;
    response.end();
  });
  const records = [
    sqsRecord("m1", ingestMessage({}, { body: 1 })),
    sqsRecord("m2", ingestMessage({}, { body: 13 }), 2),
    sqsRecord("m3", ingestMessage({}, "no envelope")),
    sqsRecord("m4", "no rule's"),
    sqsRecord("m5", ingestMessage({ topic: "v1/drivers/d.7/location" }, { body: 5 })),
    sqsRecord("m6", ingestMessage({}, { header: { Authorization: "Bearer hush" }, body: 6 })),
  ];
  const { batchItemFailures } = await forwardBatch(records, setUp(api.url));
  expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(["m2", "m3", "m4", "m5"]);
  expect(api.requests.map(({ body }) => body.toString()).sort()).toEqual(["1", "13", "6"]);
  expect(api.requests.find(({ body }) => body.toString() === "13")?.headers).toMatchObject({
    "idempotency-key": "m2",
    "x-attempt": "2",
    "x-api-key": "s3cret",
    "content-length": "2",
    host: api.url.host,
  });
  const log = lines.join("");
  expect(log).toMatch(/"level":"WARN","message":"message refused".*"code":"DEVICE_ID_INVALID".*"messageId":"m5"/);
  expect(log).toMatch(/"message":"message not delivered".*"code":"HTTP_500".*"messageId":"m2"/);
  expect(log).toMatch(/"service":"test-prod","route":"location","Delivered":2/);
  expect(log).not.toMatch(/hush|s3cret/);
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
  expect(await forwardBatch(records, setUp(api.url, { parallelRequests: 3 }))).toEqual({ batchItemFailures: [] });
  expect(most).toBe(3);
  expect(api.requests).toHaveLength(10);
});

test("reports every message, without a request, where a secret cannot be read", async () => {
  const api = await startApi();
  const fetchSecret = async (): Promise<string> => {
    throw new Error("AccessDeniedException");
  };
  const records = [sqsRecord("m1", ingestMessage()), sqsRecord("m2", ingestMessage())];
  const { batchItemFailures } = await forwardBatch(records, setUp(api.url, { fetchSecret }));
  expect(batchItemFailures).toHaveLength(2);
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
