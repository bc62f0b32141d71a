import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { mosquittoPub, mosquittoSub } from "./support/mosquitto-clients.ts";
import { connectAs } from "./support/mqtt-client.ts";

const scheme = defineScheme({
  name: "acl",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
});
const engine = "trestle.engine";
const publisher = "trestle.push";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startGenerated(scheme, () => ({ services: { engine, publisher } }));
});

afterAll(() => broker[Symbol.asyncDispose]());

const publishes = [
  ["d42", "v1/drivers/d42/location", true],
  ["d42", "v1/drivers/d42/health", true],
  ["d42", "v1/drivers/d43/location", false], // another device
  ["d42", "v1/drivers/d42/location/deeper", false],
  ["d42", "v1/drivers/d42/unknown", false],
  ["d42", "Push/Replies/d42", true],
  ["d42", "Push/Replies/d43", false],
  ["d42", "Push/SDKControls/d42", false], // a command, even to itself
  ["d42", "orders/1", false], // devices only read feeds
  ["d42", "$SYS/broker/uptime", false],
  ["+", "v1/drivers/d42/location", false], // Mosquitto takes no wildcard from a user name
  ["d42/location", "v1/drivers/d42/location", false],
  [engine, "v1/drivers/d42/location", false], // services have no device's rights
  [engine, "Push/SDKControls/d42", false],
  [publisher, "v1/drivers/d42/location", false],
  [publisher, "Push/SDKControls/d42", true],
  [publisher, "Push/Replies/d42", false], // it only hears what devices answer
  [publisher, "orders/1", true],
] as const;

describe.each([4, 5] as const)("over MQTT %i", (protocolVersion) => {
  test.for(publishes)("%s publishes to %s: %s", async ([user, topic, isAllowed]) => {
    // Between them they may read every topic of the scheme.
    await using service = await connectAs(broker.url, engine);
    await using device = await connectAs(broker.url, "d42");
    await service.subscribe(["v1/#", "Push/#"]);
    await device.subscribe(["Push/#", "orders/#"]);

    await using client = await connectAs(broker.url, user, { protocolVersion });
    const published = client.publish(topic, "payload");
    if (isAllowed || protocolVersion === 4) await published;
    else await expect(published).rejects.toMatchObject({ code: 0x87 });

    await using fence = await connectAs(broker.url, "d7");
    await fence.publish("v1/drivers/d7/location", "fence");
    await service.until(({ payload }) => payload.equals(Buffer.from("fence")));
    const arrived = [...service.messages, ...device.messages].filter((message) => message.topic === topic);
    expect(arrived).toHaveLength(isAllowed ? 1 : 0);
  });

  test("a device reads its own commands and every feed, whatever it subscribes to", async () => {
    await using device = await connectAs(broker.url, "d42", { protocolVersion });
    await device.subscribe(["#", "$SYS/#", "Push/SDKControls/d43", "v1/drivers/+/location"]);
    await using other = await connectAs(broker.url, "d43");
    await other.publish("v1/drivers/d43/location", "here");
    await using backend = await connectAs(broker.url, publisher);
    await backend.publish("Push/SDKControls/d43", "for d43");
    await backend.publish("orders/1", "for all");
    await backend.publish("Push/SDKControls/d42", "for d42");
    await device.until(({ topic }) => topic === "Push/SDKControls/d42");
    expect(device.texts).toEqual(["orders/1 for all", "Push/SDKControls/d42 for d42"]);
  });
});

test("the publisher hears replies and reads which command is retained, and nothing that devices send", async () => {
  await using backend = await connectAs(broker.url, publisher);
  await backend.publish("Push/SDKControls/d42", "retained", { retain: true });
  await backend.subscribe(["#", "Push/SDKControls/d42", "Push/Replies/d42", "v1/drivers/+/location"]);
  await using device = await connectAs(broker.url, "d42");
  await device.publish("v1/drivers/d42/location", "here");
  await device.publish("Push/Replies/d42", "done");
  await backend.until(({ topic }) => topic === "Push/Replies/d42");
  expect([...new Set(backend.texts)]).toEqual(["Push/SDKControls/d42 retained", "Push/Replies/d42 done"]);
  await backend.publish("Push/SDKControls/d42", "", { retain: true });
});

test.for(["mqttv311", "mqttv5"])(
  "mosquitto_pub over %s needs no more than a user name on loopback",
  async (version) => {
    const args = ["-V", version, "-q", "1"];
    const feed = await mosquittoSub(broker.port, 1, [...args, "-u", "d42", "-t", "orders/+", "-v"]);
    const sent = await mosquittoPub(broker.port, [...args, "-u", publisher, "-t", "orders/7", "-m", "hello"]);
    expect(sent).toEqual({ code: 0, output: "" });
    expect(await feed.taken).toEqual({ code: 0, output: "orders/7 hello\n" });
  },
);

test("a client that publishes at QoS 2 or beyond 128 KiB is disconnected, so it learns of it", async () => {
  for (const { payload, qos } of [
    { payload: "x", qos: 2 },
    { payload: "x".repeat(131_400), qos: 1 },
  ] as const) {
    await using client = await connectAs(broker.url, "d42", { protocolVersion: 4 });
    const closed = new Promise((resolve) => client.mqtt.once("close", () => resolve("closed")));
    client.mqtt.on("error", () => {}); // a reset, at times
    client.publish("v1/drivers/d42/location", payload, { qos }).catch(() => {});
    expect(await closed).toBe("closed");
  }
});

test("a payload of 128 KiB on the longest topic passes byte for byte", async () => {
  const user = "d".repeat(128);
  const payload = Buffer.alloc(131_072, "0123456789");
  await using service = await connectAs(broker.url, engine);
  await service.subscribe(["v1/#"]);
  await using device = await connectAs(broker.url, user);
  await device.publish(`v1/drivers/${user}/location`, payload);
  const arrived = await service.until(() => true);
  expect(arrived.payload.equals(payload)).toBe(true);
});
