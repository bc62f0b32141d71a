import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { maxPayloadBytes } from "../bridge/payload-limits.ts";
import { compilePolicies } from "../bridge/provision/policy.ts";
import { Relay, type RelayOptions } from "../bridge/relay/relay.ts";
import { StatusServer } from "../bridge/relay/status-server.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { decodeFrame } from "../scheme/frame/decode.ts";
import type { FrameMember } from "../scheme/frame/frame.ts";
import scheme from "./relay.config.ts";
import { policyOf } from "./support/iot-core-limits/policy.ts";
import { type LimitedIotCore, type LimitedIotCoreOptions, startLimitedIotCore } from "./support/limited-iot-core.ts";
import { startGenerated, startMosquitto, type TestBroker } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";
import { RelayProcess } from "./support/relay-process.ts";

/** What `provision` would give the relay. */
const policy = policyOf(compilePolicies(scheme, "edge", "arn:aws:iot:eu-central-1:1").map(({ document }) => document));

interface Publish {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
}

/** A stand-in of IoT Core that keeps what it has got, and a relay's frames opened. */
async function startCloud(options: LimitedIotCoreOptions = {}) {
  const publishes: Publish[] = [];
  const members: FrameMember[] = [];
  const cloud = await startLimitedIotCore({
    policy,
    ...options,
    onPublish: ({ topic, payload, qos }, discard) => {
      if (discard !== undefined) return;
      const publish = { topic, payload: Buffer.from(payload), qos };
      publishes.push(publish);
      if (topic.endsWith("/frames")) members.push(...decodeFrame(publish.payload).members);
    },
  });
  onTestFinished(() => cloud[Symbol.asyncDispose]());
  const bodies = () => members.map(({ payload }) => Buffer.from(payload).toString());
  return { cloud, publishes, members, bodies };
}

async function startEdge(): Promise<TestBroker> {
  const edge = await startGenerated(scheme, () => ({ services: { relay: "trestle.relay" } }));
  onTestFinished(() => edge[Symbol.asyncDispose]());
  return edge;
}

async function startRelay(edge: TestBroker, cloud: LimitedIotCore, more: Partial<RelayOptions> = {}): Promise<Relay> {
  const dataFolder = await mkdtemp(join(tmpdir(), "trestle-relay-"));
  onTestFinished(() => rm(dataFolder, { recursive: true }));
  const relay = await Relay.start({
    ...{ scheme, dataFolder, log: () => {} },
    local: { url: edge.url, username: "trestle.relay" },
    cloud: { url: cloud.url, clientId: "edge", tls: await cloud.credentials() },
    ...more,
  });
  onTestFinished(() => relay[Symbol.asyncDispose]());
  await relay.subscribed;
  await cloud.until(({ connects }) => connects > 0);
  return relay;
}

test("topic, payload, properties and time of each message arrive, in frames of one QoS", async () => {
  const { cloud, publishes, members } = await startCloud();
  const edge = await startEdge();
  const relay = await startRelay(edge, cloud);
  const began = Date.now();
  await using device = await connectAs(edge.url, "d42");
  const properties = {
    payloadFormatIndicator: true,
    contentType: "application/json",
    responseTopic: "Push/Replies/d42",
    correlationData: Buffer.from([0, 255]),
    userProperties: { "x-one": ["1", "2"], "x-two": "é" },
  };
  await device.publish("v1/drivers/d42/health", "h", { qos: 0 });
  await device.publish("v1/drivers/d42/location", '{"a":1.0}', { properties });
  await using old = await connectAs(edge.url, "d43", { protocolVersion: 4 });
  await old.publish("v1/drivers/d43/location", Buffer.from([1, 2, 0, 3]));
  await cloud.until(() => members.length === 3);

  expect(publishes.every(({ topic }) => topic === "$aws/rules/relay_test_relay_frames/frames")).toBe(true);
  const frames = publishes.map(({ payload, qos }) => ({ qos, frame: decodeFrame(payload) }));
  for (const { qos, frame } of frames) expect(frame.qos).toBe(qos);
  expect(frames.filter(({ qos }) => qos === 0).flatMap(({ frame }) => frame.members)).toMatchObject([
    { topic: "v1/drivers/d42/health" },
  ]);
  const byTopic = new Map(members.map((member) => [member.topic, member]));
  expect(byTopic.get("v1/drivers/d42/location")).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    receivedAt: expect.any(Number),
    topic: "v1/drivers/d42/location",
    payload: Buffer.from('{"a":1.0}'),
    payloadFormat: "UTF8_DATA",
    contentType: "application/json",
    responseTopic: "Push/Replies/d42",
    correlationData: Buffer.from([0, 255]),
    userProperties: [
      ["x-one", "1"],
      ["x-one", "2"],
      ["x-two", "é"],
    ],
  });
  const plain = byTopic.get("v1/drivers/d43/location");
  expect(plain).toMatchObject({ payload: Buffer.from([1, 2, 0, 3]) });
  expect(plain).not.toHaveProperty("userProperties");
  expect(plain?.receivedAt).toBeGreaterThanOrEqual(began);
  await expect.poll(() => relay.held).toBe(0);
  expect(relay.counts).toMatchObject({ received: 3, sent: 3, dropped: 0, refused: 0 });
});

test("what a route's where does not select is acknowledged and not sent", async () => {
  const { cloud, bodies } = await startCloud();
  const edge = await startEdge();
  const relay = await startRelay(edge, cloud);
  await using device = await connectAs(edge.url, "d42");
  for (const speed of [90, 130, 80]) {
    await device.publish("v1/drivers/d42/fast", JSON.stringify({ header: {}, body: { speed } }));
  }
  await device.publish("v1/drivers/d42/fast", "not JSON");
  await cloud.until(() => bodies().length === 1);
  expect(bodies()).toEqual(['{"header":{},"body":{"speed":130}}']);
  await expect.poll(() => relay.held).toBe(0);
  expect(relay.counts).toMatchObject({ received: 4, filtered: 3, sent: 1 });
});

test("a reply to a command waits for no others, and goes to the replies' own rule", async () => {
  const { cloud, publishes } = await startCloud();
  const edge = await startEdge();
  // A frame of this relay would wait for longer than the test.
  await startRelay(edge, cloud, { batching: { delayMs: 60_000 } });
  await using device = await connectAs(edge.url, "d42");
  await device.publish("v1/drivers/d42/location", "waits");
  const properties = { correlationData: Buffer.from("c1"), userProperties: { commandId: "c1" } };
  await device.publish("Push/Replies/d42", "done", { properties });
  await cloud.until(() => publishes.length > 0);
  expect(publishes.map(({ topic, payload }) => `${topic} ${payload}`)).toEqual([
    "$aws/rules/relay_test_replies/Push/Replies/d42 done",
  ]);
});

/** What IoT Core would discard, or end the connection for. */
const illegal = [
  ["PAYLOAD_TOO_LARGE", "v1/drivers/d42/location", randomBytes(maxPayloadBytes + 1), {}],
  ["PAYLOAD_TOO_LARGE", "v1/drivers/d42/location", randomBytes(2 * maxPayloadBytes), {}],
  ["PAYLOAD_TOO_LARGE", "v1/drivers/d42/location", Buffer.alloc(200_000, "compressible "), {}],
  ["TOPIC_TOO_LONG", `v1/drivers/${"x".repeat(240)}/location`, Buffer.from("long"), {}],
  ["TOPIC_TOO_DEEP", "v1/drivers/d42/location/5/6/7/8/9", Buffer.from("deep"), {}],
  ["TOPIC_TOO_DEEP", "v1/drivers/d42/location/5/6/7/8/9/10/11", Buffer.from("deeper"), {}],
  [
    "PROPERTIES_TOO_LARGE",
    "v1/drivers/d42/location",
    Buffer.from("props"),
    { userProperties: { k: "x".repeat(8_192) } },
  ],
  ["PROPERTIES_TOO_LARGE", "v1/drivers/d42/location", Buffer.from("data"), { correlationData: Buffer.alloc(8_193) }],
  ["PROPERTIES_TOO_LARGE", "v1/drivers/d42/location", Buffer.from("type"), { contentType: "x".repeat(257) }],
] as const;

test("what IoT Core would refuse goes as dead letters with all bytes, and the good messages between go on", async () => {
  const { cloud, members } = await startCloud();
  // One that lets everything in: the generated one knows how deep topics are.
  await using edge = await startMosquitto(
    ({ port, user }) =>
      new Map([
        [
          "mosquitto.conf",
          `user ${user}\nlistener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n`,
        ],
      ]),
  );
  const relay = await startRelay(edge, cloud);
  await using device = await connectAs(edge.url, "d42");
  const publishing = Array.from({ length: 1_000 }, async (_, n) => {
    const bad = n % 100 === 50 ? illegal[Math.floor(n / 100)] : undefined;
    if (bad !== undefined) await device.publish(bad[1], bad[2], { properties: bad[3] });
    await device.publish("v1/drivers/d42/location", `good ${n}`);
  });
  await Promise.all(publishing);
  await expect.poll(() => relay.held, { timeout: 20_000 }).toBe(0);

  const good = members
    .filter(({ refusal }) => refusal === undefined)
    .map(({ payload }) => Buffer.from(payload).toString());
  expect(new Set(good)).toEqual(new Set(Array.from({ length: 1_000 }, (_, n) => `good ${n}`)));
  const refused = Map.groupBy(
    members.filter(({ refusal }) => refusal !== undefined),
    ({ id }) => id,
  );
  const letters = [...refused.values()].map((parts) => {
    const inOrder = parts.toSorted((a, b) => (a.refusal?.part ?? 0) - (b.refusal?.part ?? 0));
    const payload = Buffer.concat(inOrder.map((part) => part.payload)).toString("base64");
    return { reason: inOrder[0]?.refusal?.reason, topic: inOrder[0]?.topic, payload };
  });
  const byPayload = (a: { payload: string }, b: { payload: string }) => (a.payload < b.payload ? -1 : 1);
  const wanted = illegal.map(([reason, topic, payload]) => ({ reason, topic, payload: payload.toString("base64") }));
  expect(letters.toSorted(byPayload)).toEqual(wanted.toSorted(byPayload));
  // None of it cost a connection.
  expect(cloud.counts).toMatchObject({ connects: 1, ended: {}, discarded: {} });
  expect(relay.counts).toMatchObject({ refused: illegal.length, sent: 1_000 });
});

test("at QoS 0 what comes while IoT Core is away is dropped, at QoS 1 it is held", async () => {
  const { cloud, bodies } = await startCloud();
  const edge = await startEdge();
  const relay = await startRelay(edge, cloud);
  await cloud.goAway();
  await expect.poll(() => relay.uplink.isConnected).toBe(false);
  await using device = await connectAs(edge.url, "d42");
  await device.publish("v1/drivers/d42/health", "gone", { qos: 0 });
  await device.publish("v1/drivers/d42/location", "kept");
  await expect.poll(() => relay.counts.dropped).toBe(1);
  expect(relay.held).toBe(1);
  await cloud.comeBack();
  await cloud.until(() => bodies().length > 0);
  expect(bodies()).toEqual(["kept"]);
});

test("a publish that IoT Core ends connections for does not hold up the others", async () => {
  // As a policy of before there were commands: frames may be published, replies may not.
  const framesOnly = { ...policy, mayPublish: (topic: string) => topic.endsWith("/frames") };
  const { cloud, bodies } = await startCloud({ policy: framesOnly });
  const edge = await startEdge();
  const relay = await startRelay(edge, cloud, {
    cloud: { url: cloud.url, clientId: "edge", tls: await cloud.credentials(), reconnectDelay: { minMs: 0, maxMs: 0 } },
  });
  await using device = await connectAs(edge.url, "d42");
  await device.publish("Push/Replies/d42", "not allowed");
  for (let n = 0; n < 10; n += 1) await device.publish("v1/drivers/d42/location", `${n}`);
  await expect.poll(() => new Set(bodies()).size, { timeout: 20_000 }).toBe(10);
  // The reply is the broker's still.
  await expect.poll(() => relay.held).toBe(1);
});

test("there are as many connections as the load needs, and fewer again", async () => {
  const { cloud, bodies } = await startCloud();
  const edge = await startEdge();
  // A publish for each message, five a second on a connection, looked at every 50 ms.
  const relay = await startRelay(edge, cloud, {
    batching: { maxMessages: 1 },
    pace: { publishesPerSecond: 5 },
    scaleEveryMs: 50,
    maxConnections: 3,
  });
  await using device = await connectAs(edge.url, "d42");
  for (let n = 0; n < 30; n += 1) void device.publish("v1/drivers/d42/location", `${n}`);
  await cloud.until(({ connects }) => connects === 3);
  expect(relay.uplink.connections.map(({ clientId }) => clientId)).toEqual(["edge", "edge:2", "edge:3"]);
  await cloud.until(() => bodies().length === 30);
  await expect.poll(() => relay.uplink.connections.length, { timeout: 20_000 }).toBe(1);
  // Those that went have said goodbye.
  await cloud.until(({ ended }) => ended.client === 2);
  expect(Object.keys(cloud.counts.ended)).toEqual(["client"]);
});

test("health and counts are served", async () => {
  const { cloud, bodies } = await startCloud();
  const edge = await startEdge();
  const relay = await startRelay(edge, cloud);
  await using status = await StatusServer.start(relay, { host: "127.0.0.1", port: 0 });
  const get = async (path: string) => {
    const response = await fetch(status.url + path);
    return { status: response.status, text: await response.text() };
  };
  await using device = await connectAs(edge.url, "d42");
  await device.publish("v1/drivers/d42/location", "1");
  await cloud.until(() => bodies().length === 1);
  expect(await get("/healthz")).toEqual({ status: 200, text: '{"status":"ok","broker":true,"iotCore":true}\n' });
  await expect.poll(() => relay.held).toBe(0);
  const { text } = await get("/metrics");
  expect(text).toContain("# TYPE trestle_relay_messages_sent_total counter\ntrestle_relay_messages_sent_total 1\n");
  expect(text).toContain("# TYPE trestle_relay_connections gauge\ntrestle_relay_connections 1\n");
  for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) )?trestle_relay_[a-z_]+ \S/);
  expect(await get("/")).toMatchObject({ status: 404 });

  await cloud.goAway();
  await expect.poll(() => relay.uplink.isConnected).toBe(false);
  expect(await get("/healthz")).toEqual({
    status: 503,
    text: '{"status":"unavailable","broker":true,"iotCore":false}\n',
  });
});

test("a relay that is told to end sends what it has gathered first", async () => {
  const { cloud, bodies } = await startCloud();
  const edge = await startEdge();
  const configFile = fileURLToPath(new URL("relay.config.ts", import.meta.url));
  const args = ["--delay", "60s"];
  await using relay = await RelayProcess.start({ configFile, brokerUrl: edge.url, cloud, args });
  await cloud.until(({ connects }) => connects === 1);
  await using device = await connectAs(edge.url, "d42");
  await device.publish("v1/drivers/d42/location", "1");
  await expect.poll(() => relay.metric("messages_held")).toBe(1);
  await relay.stop();
  expect(bodies()).toEqual(["1"]);
  expect(relay.lines.at(-1)).toMatch(/ relay: stopped$/);
  // It is acknowledged: it does not come again.
  await relay.restart();
  await device.publish("v1/drivers/d42/location", "2");
  await expect.poll(() => relay.metric("messages_held")).toBe(1);
  expect(await relay.metric("messages_received_total")).toBe(1);
});

test("a scheme without a relay is refused", async () => {
  const { cloud } = await startCloud();
  const edge = await startEdge();
  const bridge = defineScheme({
    name: "acme",
    api: { url: "https://api.example.com" },
    routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
  });
  await expect(startRelay(edge, cloud, { scheme: bridge })).rejects.toMatchObject({ code: "RELAY_NOT_IN_SCHEME" });
});
