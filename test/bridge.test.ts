import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Durability } from "../bridge/options.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { type IotCore, startIotCore } from "./support/iot-core.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { mosquittoPub } from "./support/mosquitto-clients.ts";
import { connectAs, type TestClient } from "./support/mqtt-client.ts";

const scheme = defineScheme({
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
});
const location = "$aws/rules/acme_prod_location/v1/drivers/d42/location";
const replies = "$aws/rules/acme_prod_replies/Push/Replies/d42";
const health = "$aws/rules/acme_prod_health/v1/drivers/d42/health";

/** Bytes that are neither text nor an envelope, so that nothing on the way can take them for either. */
const bytes = Buffer.from([0x00, 0x0a, 0x22, 0xff, 0xc3, 0x28, 0x7b, 0x00]);

describe("a device's message", () => {
  let cloud: IotCore;
  let edge: TestBroker;
  let reader: TestClient;

  beforeAll(async () => {
    cloud = await startIotCore();
    edge = await startEdge(cloud);
    reader = await connectReader(cloud);
    await cloud.broker.logged(/New client connected from .* as acme-prod-edge/);
  });

  afterAll(async () => {
    await reader[Symbol.asyncDispose]();
    await edge[Symbol.asyncDispose]();
    await cloud[Symbol.asyncDispose]();
  });

  test("arrives at its rule byte for byte, at QoS 1, with its MQTT 5 properties", async () => {
    await using device = await connectAs(edge.url, "d42");
    const userProperties = { trace: ["first", "second"], lang: "de" };
    await device.publish("v1/drivers/d42/location", bytes, {
      properties: { userProperties, contentType: "text/plain" },
    });
    const { payload, packet } = await next(location);
    expect(payload.equals(bytes)).toBe(true);
    expect(packet).toMatchObject({ qos: 1, retain: false, properties: { contentType: "text/plain" } });
    expect({ ...packet.properties?.userProperties }).toEqual(userProperties);
  });

  test.for(["mqttv311", "mqttv5"])("arrives from mosquitto_pub over %s", async (version) => {
    const args = ["-V", version, "-u", "d42", "-q", "1", "-t", "v1/drivers/d42/location", "-s"];
    expect(await mosquittoPub(edge.port, args, bytes)).toEqual({ code: 0, output: "" });
    const { payload, packet } = await next(location);
    expect(payload.equals(bytes)).toBe(true);
    expect(packet.qos).toBe(1);
  });

  test("travels at the lower of its own and its route's QoS, and is not retained", async () => {
    await using device = await connectAs(edge.url, "d42");
    await device.publish("v1/drivers/d42/health", "route of QoS 0", { qos: 1 });
    expect((await next(health)).packet.qos).toBe(0);
    await device.publish("v1/drivers/d42/location", "device's QoS 0", { qos: 0, retain: true });
    expect((await next(location)).packet).toMatchObject({ qos: 0, retain: false });
  });

  test("arrives at the replies' rule where it answers a command, at QoS 1", async () => {
    await using device = await connectAs(edge.url, "d42");
    await device.publish("Push/Replies/d42", bytes, { properties: { userProperties: { status: "succeeded" } } });
    const { payload, packet } = await next(replies);
    expect(payload.equals(bytes)).toBe(true);
    expect(packet).toMatchObject({ qos: 1, properties: { userProperties: { status: "succeeded" } } });
  });

  test("is all that leaves: commands and feeds stay", async () => {
    await using backend = await connectAs(edge.url, "trestle.push");
    await backend.publish("Push/SDKControls/d42", "command");
    await backend.publish("orders/1", "feed");
    await using device = await connectAs(edge.url, "d42");
    await device.publish("v1/drivers/d43/location", "another device's").catch(() => {});
    await device.publish("v1/drivers/d42/location", "fence");
    expect((await next(location)).payload.toString()).toBe("fence");
  });

  test("waits while the endpoint is away, and arrives when it is back", async () => {
    await reader[Symbol.asyncDispose]();
    await cloud.broker.stop();
    await using device = await connectAs(edge.url, "d42");
    const sent = Array.from({ length: 20 }, (_, index) => `away ${index}`);
    for (const text of sent) await device.publish("v1/drivers/d42/location", text);
    await cloud.broker.start();
    reader = await connectReader(cloud);
    await reader.until(({ payload }) => payload.toString() === sent.at(-1));
    expect(reader.texts).toEqual(sent.map((text) => `${location} ${text}`));
  });

  /** Takes the next message out of what the endpoint has received. */
  async function next(topic: string) {
    await reader.until(() => true);
    const [message, ...more] = reader.messages.splice(0);
    expect(more).toEqual([]);
    expect(message?.topic).toBe(topic);
    if (message === undefined) throw new Error("unreachable: until() saw a message");
    return message;
  }
});

test("an acknowledged message outlives kill -9 of the broker, but for the last one", async () => {
  await using cloud = await startIotCore();
  await (await connectReader(cloud))[Symbol.asyncDispose]();
  await cloud.broker.stop();
  await using edge = await startEdge(cloud, "every-message");
  await using device = await connectAs(edge.url, "d42");
  const sent = Array.from({ length: 30 }, (_, index) => `kept ${index}`);
  for (const text of sent) await device.publish("v1/drivers/d42/location", text);
  await edge.kill();

  await cloud.broker.start();
  await using reader = await connectReader(cloud);
  await edge.start();
  await reader.until(({ payload }) => payload.toString() === "kept 28");
  expect(reader.texts.slice(0, 29)).toEqual(sent.slice(0, 29).map((text) => `${location} ${text}`));
});

function startEdge(cloud: IotCore, durability?: Durability): Promise<TestBroker> {
  return startGenerated(scheme, async ({ folder }) => ({
    durability,
    services: { engine: "trestle.engine", publisher: "trestle.push" },
    bridge: await cloud.bridgeOptions(folder),
  }));
}

/** Reads what comes to the rules, in a session that a restart of the endpoint does not end. */
async function connectReader(cloud: IotCore): Promise<TestClient> {
  const session = { clientId: "reader", clean: false, properties: { sessionExpiryInterval: 600 } };
  const reader = await connectAs(cloud.url, "named by its certificate", { ...cloud.reader, ...session });
  await reader.subscribe(["$aws/rules/#"]);
  return reader;
}
