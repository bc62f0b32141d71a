import {
  GetRetainedMessageCommand,
  IoTDataPlaneClient,
  type IoTDataPlaneClientConfig,
  PublishCommand,
  type PublishCommandInput,
} from "@aws-sdk/client-iot-data-plane";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startLossyLine } from "../../test/support/lossy-line.ts";
import { startMosquitto, type TestBroker } from "../../test/support/mosquitto.ts";
import { connectAs } from "../../test/support/mqtt-client.ts";
import { freePort } from "../../test/support/ports.ts";
import { DataPlaneConnection, type DataPlaneOptions } from "../data-plane-connection.ts";
import { iotDataPlane } from "./iot-data-plane.ts";
import type { MessageBroker } from "./message-broker.ts";
import { ServiceEndpoint } from "./service-endpoint.ts";

let broker: TestBroker;
let clients = 0;

/** Everybody may do everything but for `reader`, who may not publish: the first line is for those without a name. */
const acl = "topic readwrite #\n\nuser reader\ntopic read #\n\nuser d42\ntopic readwrite #\n";

beforeAll(async () => {
  broker = await startMosquitto(
    ({ folder, port, user }) =>
      new Map([
        [
          "mosquitto.conf",
          `user ${user}\nlistener ${port} 127.0.0.1\nallow_anonymous true\nacl_file ${folder}/acl\nlog_dest stderr\n`,
        ],
        ["acl", acl],
      ]),
  );
});

afterAll(() => broker[Symbol.asyncDispose]());

/** The SDK's client of a data plane. */
async function sdkOf(messageBroker: () => MessageBroker | undefined, config: IoTDataPlaneClientConfig = {}) {
  const endpoint = await ServiceEndpoint.start({ iotdata: iotDataPlane(messageBroker) });
  const client = new IoTDataPlaneClient({
    endpoint: endpoint.url("iotdata"),
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
    ...config,
  });
  onTestFinished(async () => {
    client.destroy();
    await endpoint[Symbol.asyncDispose]();
  });
  return client;
}

function connectionTo(url: string, rest: Partial<DataPlaneOptions> = {}): DataPlaneConnection {
  const connection = new DataPlaneConnection({ url, clientId: `data-plane-${clients++}`, ...rest });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  return connection;
}

async function start(rest: Partial<DataPlaneOptions> = {}) {
  const connection = connectionTo(broker.url, rest);
  const client = await sdkOf(() => connection);
  return {
    publish: (input: PublishCommandInput) => client.send(new PublishCommand(input)),
    readRetained: (topic: string) => client.send(new GetRetainedMessageCommand({ topic })),
  };
}

test("a message reaches its subscribers with all its properties", async () => {
  const { publish } = await start();
  await using device = await connectAs(broker.url, "d42");
  await device.subscribe(["one/#"]);
  await publish({
    topic: "one/é %2F/d42",
    qos: 1,
    payload: Buffer.from([0xff, 0x00, 0x7b]),
    contentType: "application/json",
    responseTopic: "one/answer",
    correlationData: Buffer.from("c1").toString("base64"),
    payloadFormatIndicator: "UNSPECIFIED_BYTES",
    messageExpiry: 60,
    userProperties: JSON.stringify([{ a: "1" }, { b: "2" }, { a: "3" }]),
  });
  const { topic, payload, packet } = await device.until(() => true);
  expect({ topic, payload, qos: packet.qos, retain: packet.retain }).toEqual({
    topic: "one/é %2F/d42",
    payload: Buffer.from([0xff, 0x00, 0x7b]),
    qos: 1,
    retain: false,
  });
  expect(packet.properties).toMatchObject({
    contentType: "application/json",
    responseTopic: "one/answer",
    correlationData: Buffer.from("c1"),
    messageExpiryInterval: expect.any(Number),
    userProperties: { a: ["1", "3"], b: "2" },
  });
});

test("what is retained is there for who comes later, until it is cleared", async () => {
  const { publish, readRetained } = await start();
  const topic = "Push/SDKControls/d42";
  await expect(readRetained(topic)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  for (const text of ["first", "second"]) await publish({ topic, qos: 1, retain: true, payload: Buffer.from(text) });
  const { $metadata: _, ...message } = await readRetained(topic);
  expect({ ...message, payload: Buffer.from(message.payload ?? []).toString() }).toEqual({
    topic,
    payload: "second",
    qos: 1,
  });
  await using device = await connectAs(broker.url, "d42", { protocolVersion: 4 });
  await device.subscribe([topic]);
  expect((await device.until(() => true)).packet.retain).toBe(true);
  await publish({ topic, qos: 1, retain: true });
  await expect(readRetained(topic)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("many read at one time, each its own", async () => {
  const { publish, readRetained } = await start();
  const topics = Array.from({ length: 20 }, (_, index) => `many/${index}`);
  await Promise.all(topics.map((topic) => publish({ topic, qos: 1, retain: true, payload: Buffer.from(topic) })));
  const read = await Promise.all([...topics, ...topics].map((topic) => readRetained(topic)));
  expect(read.map(({ payload }) => Buffer.from(payload ?? []).toString())).toEqual([...topics, ...topics]);
});

test("user properties are read as they were published", async () => {
  const { publish, readRetained } = await start();
  const userProperties = JSON.stringify([{ a: "1" }, { __proto__x: "2" }]);
  await publish({ topic: "properties", qos: 1, retain: true, payload: Buffer.from("x"), userProperties });
  const message = await readRetained("properties");
  expect(JSON.parse(Buffer.from(message.userProperties ?? []).toString())).toEqual(JSON.parse(userProperties));
});

const kibibyte = 1024;

test.for([
  ["a payload over 128 KiB", { payload: Buffer.alloc(128 * kibibyte + 1) }, "RequestEntityTooLargeException"],
  ["eight slashes", { topic: "1/2/3/4/5/6/7/8/9" }, "InvalidRequestException"],
  ["257 bytes of topic", { topic: "x".repeat(257) }, "InvalidRequestException"],
  ["a wildcard", { topic: "a/+" }, "InvalidRequestException"],
  ["a reserved topic", { topic: "$SYS/broker" }, "InvalidRequestException"],
  ["a shared subscription's name", { topic: "$share/a/b" }, "InvalidRequestException"],
  ["a retained message for a rule", { topic: "$aws/rules/r/a", retain: true }, "InvalidRequestException"],
  ["QoS 2", { qos: 2 }, "InvalidRequestException"],
  ["no time to live", { messageExpiry: 0 }, "InvalidRequestException"],
  ["an answer to all topics", { responseTopic: "a/#" }, "InvalidRequestException"],
  ["user properties that are no list", { userProperties: '{"a":"1"}' }, "InvalidRequestException"],
  ["a user property that is no text", { userProperties: '[{"a":1}]' }, "InvalidRequestException"],
  ["correlation data that is no base64", { correlationData: "c" }, "InvalidRequestException"],
  // Mosquitto would end the connection, and with it what others publish there.
  ["a control character in the topic", { topic: "a/\u0001" }, "InvalidRequestException"],
  ["a code point that is no character", { contentType: "\ufffe" }, "InvalidRequestException"],
  ["a line break in a user property", { userProperties: '[{"a":"\\n"}]' }, "InvalidRequestException"],
  ["user properties over 8 KiB", { userProperties: `[{"a":"${"x".repeat(8192)}"}]` }, "InvalidRequestException"],
] as const)("%s is refused with AWS's type", async ([, input, name]) => {
  const { publish } = await start();
  await expect(publish({ topic: "a", qos: 1, ...input })).rejects.toMatchObject({ name });
});

test("the limits themselves are no fault, and the way to a rule counts in none", async () => {
  const { publish } = await start();
  await publish({ topic: "1/2/3/4/5/6/7/8", payload: Buffer.alloc(128 * kibibyte) });
  await publish({ topic: `$aws/rules/${"r".repeat(128)}/1/2/3/4/5/6/7/${"x".repeat(200)}` });
});

test("a broker's no is told", async () => {
  const { publish } = await start({ username: "reader" });
  await expect(publish({ topic: "a", qos: 1 })).rejects.toMatchObject({ name: "UnauthorizedException" });
});

test("without a broker the client may come back", async () => {
  const nobody = connectionTo(`mqtt://127.0.0.1:${await freePort()}`);
  for (const known of [undefined, nobody]) {
    const client = await sdkOf(() => known);
    await expect(client.send(new PublishCommand({ topic: "a", qos: 1 }))).rejects.toMatchObject({
      name: "ServiceUnavailableException",
      $metadata: { httpStatusCode: 503 },
    });
  }
});

test("what was not acknowledged in time is not sent later", async () => {
  await using line = await startLossyLine(broker.port);
  const connection = connectionTo(`mqtt://127.0.0.1:${line.port}`, { timeoutMs: 500 });
  const client = await sdkOf(() => connection);
  const publish = (text: string) =>
    client.send(new PublishCommand({ topic: "later", qos: 1, payload: Buffer.from(text) }));
  await using device = await connectAs(broker.url, "d42");
  await device.subscribe(["later"]);
  await publish("before");
  line.lose();
  await expect(publish("lost")).rejects.toMatchObject({ name: "ServiceUnavailableException" });
  line.cut();
  await publish("after");
  await device.until(({ payload }) => payload.toString() === "after");
  expect(device.messages.map(({ payload }) => payload.toString())).toEqual(["before", "after"]);
});

test("a broker that was started anew is connected to again", async () => {
  const { publish } = await start();
  await publish({ topic: "again", qos: 1 });
  await broker.stop();
  await broker.start();
  await publish({ topic: "again", qos: 1 });
});

test("another operation is refused", async () => {
  const endpoint = await ServiceEndpoint.start({ iotdata: iotDataPlane(() => undefined) });
  onTestFinished(() => endpoint[Symbol.asyncDispose]());
  const statusOf = async (method: string, path: string) =>
    (await fetch(endpoint.url("iotdata") + path, { method })).status;
  expect(await statusOf("GET", "/topics/a")).toBe(405);
  expect(await statusOf("GET", "/retainedMessage")).toBe(404);
  expect(await statusOf("POST", "/topics/a?unknown=1")).toBe(503);
  expect(await statusOf("POST", "/topics/%ff")).toBe(400);
});
