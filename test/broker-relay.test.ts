import { connect } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { connectAs, TestClient } from "./support/mqtt-client.ts";
import { PacketType, type ProtocolVersion, RawClient, type RawPacket } from "./support/raw-mqtt.ts";

const scheme = defineScheme({
  name: "relayed",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
  uplink: "relay",
});
const relay = "trestle.relay";
const location = Buffer.from("v1/drivers/d42/location");

let broker: TestBroker;

beforeAll(async () => {
  broker = await startGenerated(scheme, () => ({ services: { relay, publisher: "trestle.push" } }));
});

afterAll(() => broker[Symbol.asyncDispose]());

test("the relay hears routes and replies, feeds as everybody, and no command; it publishes nothing", async () => {
  await using service = await connectAs(broker.url, relay);
  await service.subscribe(["#", "$SYS/#"]);
  await using backend = await connectAs(broker.url, "trestle.push");
  await backend.publish("Push/SDKControls/d42", "command");
  await backend.publish("orders/1", "feed");
  await using device = await connectAs(broker.url, "d42");
  for (const topic of ["v1/drivers/d42/location", "v1/drivers/d42/health", "Push/Replies/d42"]) {
    await device.publish(topic, "sent");
    await expect(service.publish(topic, "forged")).rejects.toMatchObject({ code: 0x87 });
  }
  await service.until(({ topic }) => topic === "Push/Replies/d42");
  const sent = ["v1/drivers/d42/location sent", "v1/drivers/d42/health sent", "Push/Replies/d42 sent"];
  expect(service.texts).toEqual(["orders/1 feed", ...sent]);
});

describe.each<ProtocolVersion>([4, 5])("over MQTT %i", (version) => {
  const disconnectTooLarge = 0x95;
  /** Where it stands in a PUBACK, MQTT 5 knows no such reason (§3.4.2.1); Mosquitto gives it all the same. */
  const pubackTooLarge = 0x95;

  test("a payload of 256 KiB reaches the relay byte for byte", async () => {
    await using service = await connectAs(broker.url, relay);
    await service.subscribe(["v1/#"]);
    await using device = await connectAs(broker.url, "d42", { protocolVersion: version });
    const payload = Buffer.alloc(262_144, "0123456789");
    await device.publish("v1/drivers/d42/location", payload);
    expect((await service.until(() => true)).payload.equals(payload)).toBe(true);
  });

  test("one byte more is answered, and dropped", async () => {
    const answer = await publishBytes(262_145);
    expect(answer?.type).toBe(PacketType.puback);
    expect(answer?.body.at(2)).toBe(version === 4 ? undefined : pubackTooLarge);
  });

  test("what exceeds the packet's limit ends its sender's connection", async () => {
    const answer = await publishBytes(262_500);
    if (version === 4) expect(answer).toBeUndefined();
    else expect(answer).toMatchObject({ type: PacketType.disconnect, body: Buffer.from([disconnectTooLarge]) });
  });

  /** What a device gets for so large a payload, which nobody hears. */
  async function publishBytes(bytes: number): Promise<RawPacket | undefined> {
    await using service = await connectAs(broker.url, relay);
    await service.subscribe(["v1/#"]);
    using device = await RawClient.open(broker.port, version);
    device.connect("d42");
    await device.next();
    device.publish(location, "x".repeat(bytes));
    const answer = await device.next().catch(() => undefined); // a reset, at times
    await using fence = await connectAs(broker.url, "d7");
    await fence.publish("v1/drivers/d7/location", "fence");
    await service.until(() => true);
    expect(service.texts).toEqual(["v1/drivers/d7/location fence"]);
    return answer;
  }
});

test("the Receive Maximum that a subscriber announces takes the place of max_inflight_messages", async () => {
  using service = await RawClient.open(broker.port, 5);
  const receiveMaximum = 0x21;
  service.connect(relay, Buffer.from([receiveMaximum, 0xff, 0xff]));
  await service.next();
  const filter = Buffer.from("v1/drivers/+/location");
  const subscribe = [0, 1, 0, 0, filter.length, ...filter, 1];
  service.write(Buffer.from([0x82, subscribe.length, ...subscribe]));
  await service.next();
  await using device = await connectAs(broker.url, "d42");
  const count = 1500; // the configured 1,000 and some
  await Promise.all(Array.from({ length: count }, () => device.publish(location.toString(), "x")));
  for (let index = 0; index < count; index++) expect((await service.next())?.type).toBe(3); // PUBLISH
});

test("where the client id is the user name, the relay finds its session again under any client id", async () => {
  await using strict = await startGenerated(scheme, () => ({ services: { relay }, isClientIdUserName: true }));
  const session = { protocolVersion: 5, clean: false, properties: { sessionExpiryInterval: 600 } } as const;
  const before = await connectAs(strict.url, relay, { ...session, clientId: "one" });
  await before.subscribe(["v1/drivers/+/location"]);
  await before[Symbol.asyncDispose]();
  await using device = await connectAs(strict.url, "d42");
  await device.publish("v1/drivers/d42/location", "while it was away");
  // Not after it has connected: what is queued comes together with the CONNACK.
  await using after = new TestClient(connect(strict.url, { ...session, username: relay, clientId: "other" }));
  expect((await after.until(() => true)).payload.toString()).toBe("while it was away");
});
