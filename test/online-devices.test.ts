import type { Context } from "aws-lambda";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { Queue } from "../engine/services/queue.ts";
import { QueueStore } from "../engine/services/queue-store.ts";
import { ServiceEndpoint } from "../engine/services/service-endpoint.ts";
import { sqsApi } from "../engine/services/sqs-api.ts";
import { temporaryFolder } from "../engine/testing.ts";
import { startApi } from "../lambdas/forward/test-api.ts";
import { ingestMessage, sqsRecord } from "../lambdas/forward/test-message.ts";
import { CommandLedger } from "../lambdas/store/commands.ts";
import { startTables } from "../lambdas/store/testing.ts";

// The function `forward` as it is deployed, with a ledger of commands in which device d42 has a request to answer: by
// what devices send it notices that they are online, and says so in the engine's queue.

const url = "https://sqs.us-east-1.amazonaws.com/1/online";
const arn = "arn:aws:sqs:us-east-1:1:online";

const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.resetModules(); // each test has an execution environment of its own
});

async function setUp(variables: Readonly<Record<string, string>>, apiStatus = 200) {
  const api = await startApi((response) => response.writeHead(apiStatus).end());
  const { client, endpoint, deliveries, deadLetters, commands } = await startTables();
  const ledger = new CommandLedger(client, commands);
  const issuedAt = Date.now();
  const command = { id: "c1", deviceId: "d42", kind: "request", body: "{}", issuedAt } as const;
  await ledger.record({ ...command, deadlineAt: issuedAt + 60_000 });
  await ledger.notePublication(command, { attempts: [{ at: issuedAt, broker: "b" }], at: issuedAt });

  const store = new QueueStore(temporaryFolder());
  const limits = { visibilityTimeoutMs: 600_000, retentionMs: 1e9, maximumMessageBytes: 262_144, redrive: undefined };
  const queue = new Queue({ name: "online", arn, ...limits }, store);
  const services = await ServiceEndpoint.start({ sqs: sqsApi(new Map([[url, queue]])) });
  onTestFinished(async () => {
    await services[Symbol.asyncDispose]();
    queue[Symbol.dispose]();
    store[Symbol.dispose]();
  });

  const environment = {
    ...{ API_URL: api.url.href, PARALLEL_REQUESTS: "10", MAXIMUM_DELAY_SECONDS: "43000" },
    ...{ DELIVERIES_TABLE: deliveries, DEAD_LETTERS_TABLE: deadLetters, MESSAGES_TABLE: "" },
    ...{ COMMANDS_TABLE: commands, ONLINE_QUEUE_URL: url, CIRCUIT_QUEUE_URL: "https://sqs.example.com/circuit" },
    ...{ AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_ENDPOINT_URL_SQS: services.url("sqs"), AWS_REGION: "us-east-1" },
    ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    ...{ POWERTOOLS_SERVICE_NAME: "sample-dev", POWERTOOLS_METRICS_NAMESPACE: "Trestle" },
    ...variables,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { handler } = await import("../lambdas/forward/handler.ts");
  return {
    api,
    ledger,
    invoke: (event: unknown) => handler(event, { awsRequestId: "r-1" } as Context),
    announced: () => queue.receive(10).map(({ body }) => JSON.parse(body)),
  };
}

/** A batch with a message of each of these devices. */
function batchOf(...deviceIds: readonly string[]) {
  const Records = deviceIds.map((deviceId, index) =>
    sqsRecord(`m${index}`, ingestMessage({ topic: `v1/drivers/${deviceId}/location`, receivedAt: Date.now() })),
  );
  return { Records };
}

const directEvent = (deviceId: string) =>
  ingestMessage({ route: "health", topic: `v1/drivers/${deviceId}/health`, receivedAt: Date.now() });

const delivered = { batchItemFailures: [] };

test("says of a device with a request to answer that it is online, once", async () => {
  const { api, invoke, announced } = await setUp({ LANE: "fresh" });
  expect(await invoke(batchOf("d41", "d42", "d42", "d43"))).toEqual(delivered);
  expect(announced()).toEqual([{ deviceId: "d42" }]);
  expect(await invoke(batchOf("d42"))).toEqual(delivered);
  expect(announced()).toEqual([]);
  expect(api.requests).toHaveLength(5);
  expect(lines.join("")).not.toContain("ERROR");
});

test("says so by a QoS 0 message, too, and where the API does not take it", async () => {
  const { invoke, announced } = await setUp({ LANE: "direct" }, 503);
  await expect(invoke(directEvent("d42"))).rejects.toMatchObject({ code: "HTTP_503" });
  expect(announced()).toEqual([{ deviceId: "d42" }]);
});

test("says nothing of devices without requests, or with answered ones", async () => {
  const { ledger, invoke, announced } = await setUp({ LANE: "direct" });
  await ledger.recordReply({ commandId: "c1", deviceId: "d42", status: "succeeded", body: "null", at: Date.now() });
  await invoke(directEvent("d42"));
  expect(announced()).toEqual([]);
});

test("says nothing of a message's retries, which do not show that a device is online", async () => {
  const { api, invoke, announced } = await setUp({ LANE: "retry" });
  expect(await invoke(batchOf("d42"))).toEqual(delivered);
  expect(api.requests).toHaveLength(1);
  expect(announced()).toEqual([]);
});

test.for([
  ["ledger", { COMMANDS_TABLE: "no-such-table" }],
  ["queue", { ONLINE_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/1/no-such-queue" }],
] as const)("messages are delivered as ever where the %s cannot be reached", async ([, variables]) => {
  const { api, invoke } = await setUp({ LANE: "fresh", ...variables });
  expect(await invoke(batchOf("d41", "d42"))).toEqual(delivered);
  expect(api.requests).toHaveLength(2);
  expect(lines.join("")).toMatch(/"level":"ERROR","message":"devices that are online not announced yet"/);
});

test("asks nobody where there are no commands", async () => {
  const aws = await startApi((response) => response.writeHead(500).end());
  const nowhere = { AWS_ENDPOINT_URL_DYNAMODB: aws.url.href, AWS_ENDPOINT_URL_SQS: aws.url.href };
  const { api, invoke } = await setUp({ LANE: "direct", COMMANDS_TABLE: "", ONLINE_QUEUE_URL: "", ...nowhere });
  await invoke(directEvent("d42"));
  expect(api.requests).toHaveLength(1);
  expect(aws.requests).toEqual([]);
});
