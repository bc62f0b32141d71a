import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { TestBroker } from "../../test/support/mosquitto.ts";
import { freePort } from "../../test/support/ports.ts";
import { DataPlanePublisher } from "./data-plane-publisher.ts";
import { message, testPublisher } from "./publisher.suite.ts";
import { startOpenBroker } from "./test-broker.ts";
import { startDataPlane } from "./test-data-plane.ts";

const inTime = { timeoutMs: 10_000 };
const throttled = { status: 429, type: "ThrottlingException" };
/** The SDK's own attempts come with pauses that a test would wait for. */
const oneAttempt = { maxAttempts: 1 };
let broker: TestBroker;

beforeAll(async () => {
  broker = await startOpenBroker();
});

afterAll(() => broker[Symbol.asyncDispose]());

describe("as every publisher", () => {
  testPublisher({
    start: async () => {
      const { publisher, freeze } = await start();
      return { publisher, brokerUrl: broker.url, freeze: async () => freeze().bind(undefined, "drop") };
    },
    startUnreachable: async () => open(`http://127.0.0.1:${await freePort()}`),
  });
});

test("publishes at QoS 1 with the topic as one label, and reads by the same", async () => {
  const { publisher, requests } = await start();
  const topic = "Push/SDKControls/d42";
  await publisher.publish(message(topic, "on", { isRetained: true, messageExpirySeconds: 60 }), inTime);
  await publisher.publish(message(topic, "on"), inTime);
  await publisher.readRetained(topic, inTime);
  expect(requests.map((request) => request.replace(/\?.*/, ""))).toEqual([
    "POST /topics/Push%2FSDKControls%2Fd42",
    "POST /topics/Push%2FSDKControls%2Fd42",
    "GET /retainedMessage/Push%2FSDKControls%2Fd42",
  ]);
  const [first, second] = requests.map((request) => Object.fromEntries(new URLSearchParams(request.split("?")[1])));
  expect(first).toEqual({ qos: "1", retain: "true", messageExpiry: "60" });
  expect(second).toEqual({ qos: "1", retain: "false" });
});

test("asks again while it is throttled and there is time", async () => {
  const { publisher, requests, refusals } = await start(oneAttempt);
  refusals.push(throttled, throttled, throttled, throttled);
  await publisher.publish(message("Push/SDKControls/d1", "on", { isRetained: true }), inTime);
  expect(requests).toHaveLength(5);
});

test("says that it is throttled where there is no time left to ask again", async () => {
  const { publisher, refusals } = await start({ ...oneAttempt, throttledPauseMs: 60_000 });
  refusals.push(throttled);
  const call = publisher.publish(message("Push/SDKControls/d2", "on"), { timeoutMs: 500 });
  await expect(call).rejects.toMatchObject({ code: "BROKER_THROTTLED", isRetryable: true });
});

test.for([
  [400, "InvalidRequestException", "BROKER_REFUSED"],
  [401, "UnauthorizedException", "BROKER_REFUSED"],
  [403, "ForbiddenException", "BROKER_REFUSED"],
  [405, "MethodNotAllowedException", "BROKER_REFUSED"],
  [413, "RequestEntityTooLargeException", "BROKER_REFUSED"],
  [500, "InternalFailureException", "BROKER_UNREACHABLE"],
  [503, "ServiceUnavailableException", "BROKER_UNREACHABLE"],
] as const)("%i %s is %s", async ([status, type, code]) => {
  const { publisher, refusals } = await start();
  refusals.push(...Array(3).fill({ status, type }));
  const failure = { code, broker: "aws-iot", message: expect.stringContaining(type) };
  await expect(publisher.publish(message("Push/SDKControls/d3", "on"), inTime)).rejects.toMatchObject(failure);
});

test("one answer of a fault of IoT Core's is no failure", async () => {
  const { publisher, requests, refusals } = await start();
  refusals.push({ status: 500, type: "InternalFailureException" });
  await publisher.publish(message("Push/SDKControls/d4", "on"), inTime);
  expect(requests).toHaveLength(2);
});

test("a message that waits for another one on its topic is given up in its own time", async () => {
  const { publisher, requests, freeze } = await start();
  const thaw = freeze();
  const first = publisher.publish(message("Push/SDKControls/d5", "first"), inTime);
  const second = publisher.publish(message("Push/SDKControls/d5", "second"), { timeoutMs: 100 });
  const third = publisher.publish(message("Push/SDKControls/d5", "third"), inTime);
  await expect(second).rejects.toMatchObject({ code: "BROKER_TIMEOUT" });
  expect(requests).toHaveLength(1);
  await thaw("answer");
  await Promise.all([first, third]);
  expect(requests).toHaveLength(2);
});

test("cannot hear", async () => {
  const { publisher, requests } = await start();
  expect(await publisher.listen()).toBeUndefined();
  expect(requests).toEqual([]);
});

interface TestOptions {
  readonly throttledPauseMs?: number;
  readonly maxAttempts?: number;
}

async function start(options: TestOptions = {}) {
  const { endpoint, ...service } = await startDataPlane(broker.url);
  return { publisher: open(endpoint, options), ...service };
}

function open(endpoint: string, { throttledPauseMs = 10, ...rest }: TestOptions = {}): DataPlanePublisher {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = { endpoint, region: "us-east-1", credentials, ...rest };
  const publisher = new DataPlanePublisher({ name: "aws-iot", client, throttledPauseMs });
  onTestFinished(() => publisher[Symbol.asyncDispose]());
  return publisher;
}
