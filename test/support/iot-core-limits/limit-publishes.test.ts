import { describe, expect, test } from "vitest";
import { startLimitedIotCore } from "../limited-iot-core.ts";
import { connectAs } from "../mqtt-client.ts";
import { PacketType, publishPacket } from "../raw-mqtt.ts";
import { type Limits, noLimits } from "./limits.ts";
import { policyOf } from "./policy.ts";
import { ingest, limitedStage, shortTopic, subscribePacket, versions } from "./testing.ts";

const stage = limitedStage();

/** What ends a connection: topic, payload and MQTT 5 properties of a publish, and the reason code. */
const fatal: readonly [
  reason: string,
  limit: keyof Limits,
  code: number,
  publish: readonly [topic: string | Buffer, payload: Buffer, properties?: Buffer],
][] = [
  ["payload too large", "payloadBytes", 0x95, [shortTopic, Buffer.alloc(131_073)]],
  ["topic too long", "topicBytes", 0x90, [`${ingest}${"t".repeat(257)}`, Buffer.from("x")]],
  ["topic too deep", "topicSlashes", 0x90, [`${ingest}1/2/3/4/5/6/7/8/9`, Buffer.from("x")]],
  ["topic too deep", "topicSlashes", 0x90, ["1/2/3/4/5/6/7/8/9", Buffer.from("x")]],
  ["reserved topic", "endsReserved", 0x90, ["$SYS/broker/connection/edge/state", Buffer.from("1")]],
  ["reserved topic", "endsReserved", 0x90, ["$aws/rules/acme_prod_location/", Buffer.from("x")]],
];

describe.for(versions)("over MQTT %d", (version) => {
  test.for(fatal)("%s ends the connection (%s)", async ([reason, limit, code, [topic, payload, properties]]) => {
    using client = await stage.connectRaw(version);
    client.write(publishPacket(version, topic, payload, properties));
    const farewell = await client.next();
    if (version === 5) expect(farewell).toMatchObject({ type: PacketType.disconnect, body: Buffer.from([code, 0]) });
    else expect(farewell).toBeUndefined();
    expect((await stage.cloud.until(({ ended }) => ended[reason as keyof typeof ended] === 1)).passed).toBe(0);

    stage.cloud.limit({ [limit]: noLimits[limit] });
    stage.clock.advance(1_000);
    using again = await stage.connectRaw(version);
    again.write(publishPacket(version, topic, payload, properties));
    await stage.cloud.until(({ passed }) => passed === 1);
  });

  test("a retained publish to a reserved topic ends the connection", async () => {
    using client = await stage.connectRaw(version);
    const packet = publishPacket(version, shortTopic, Buffer.from("x"));
    packet.writeUInt8(packet.readUInt8(0) | 1, 0);
    client.write(packet);
    await stage.cloud.until(({ ended }) => ended["retained on a reserved topic"] === 1);
  });

  test("what is just within the limits is acknowledged; a Basic Ingest prefix does not count", async () => {
    using client = await stage.connectRaw(version);
    const topics = [`${ingest}${"t".repeat(256)}`, `${ingest}1/2/3/4/5/6/7/8`, "1/2/3/4/5/6/7/8"];
    for (const topic of topics) {
      client.write(publishPacket(version, topic, Buffer.alloc(131_072)));
      expect(await client.next()).toMatchObject({ type: PacketType.puback });
    }
    expect(stage.cloud.counts.ended).toEqual({});
  });

  test("QoS 2 has no answer, and the connection stays", async () => {
    using client = await stage.connectRaw(version);
    const packet = publishPacket(version, shortTopic, Buffer.from("x"));
    packet.writeUInt8(0x34, 0);
    client.write(packet);
    client.write(subscribePacket(version, "a", 2));
    client.publish(shortTopic, "QoS 1");
    expect(await client.next()).toMatchObject({ type: PacketType.puback });
    expect(stage.cloud.counts).toMatchObject({ received: 2, passed: 1, discarded: { "QoS 2": 1 }, ended: {} });
  });

  test("what the policies do not allow ends the connection", async () => {
    const document = JSON.stringify({
      Statement: [
        { Effect: "Allow", Action: "iot:Connect", Resource: "arn:aws:iot:eu-central-1:1:client/one" },
        { Effect: "Allow", Action: "iot:Publish", Resource: [`arn:aws:iot:eu-central-1:1:topic/${ingest}v1/*/a`] },
      ],
    });
    await using strict = await startLimitedIotCore({ policy: policyOf([document]) });
    const options = { ...(await strict.credentials()), clientId: "one", protocolVersion: version };
    await using client = await connectAs(strict.url, "", options);
    await client.publish(`${ingest}v1/d42/a`, "x");
    client.mqtt.publish(`${ingest}v1/d42/b`, "x", { qos: 1 }, () => {});
    await strict.until(({ ended }) => ended["not authorized"] === 1);
    await expect(connectAs(strict.url, "", { ...options, clientId: "two" })).rejects.toThrow();
    expect(strict.counts).toMatchObject({ passed: 1, refused: { "not authorized": 1 } });
  });
});

/** Properties of an MQTT 5 publish that IoT Core does not take, the limits' own size among them. */
test.for([
  [
    "user properties of more than 8 KB",
    "properties too large",
    Buffer.concat([Buffer.from([0x26]), field(4_096), field(4_097)]),
  ],
  ["correlation data of more than 8 KB", "properties too large", Buffer.concat([Buffer.from([0x09]), field(8_193)])],
  ["a content type of more than 256 bytes", "properties too large", Buffer.concat([Buffer.from([0x03]), field(257)])],
  ["a topic alias that was not offered", "topic alias", Buffer.from([0x23, 0, 1])],
] as const)("%s ends the connection", async ([, reason, properties]) => {
  using client = await stage.connectRaw(5);
  client.publish(shortTopic, "x", properties);
  await stage.cloud.until(({ ended }) => ended[reason] === 1);
});

test("a packet of more than 146 KB ends the connection, though its payload may be as large", async () => {
  stage.cloud.limit({ userPropertyBytes: Number.POSITIVE_INFINITY });
  using client = await stage.connectRaw(5);
  const properties = Buffer.concat([Buffer.from([0x26]), field(1), field(20_000)]);
  client.write(publishPacket(5, shortTopic, Buffer.alloc(131_072), properties));
  await stage.cloud.until(({ ended }) => ended["packet too large"] === 1);
});

test("what came before a publish that ends the connection is not lost with it", async () => {
  using client = await stage.connectRaw(5);
  const good = publishPacket(5, shortTopic, Buffer.from("good"));
  const bad = publishPacket(5, "$SYS/bad", Buffer.from("bad"));
  await using reader = await connectAs(stage.cloud.url, "", { ...stage.cloud.reader, clientId: "reader" });
  await reader.subscribe(["$aws/rules/#"]);
  client.write(Buffer.concat([good, good, bad, good]));
  await stage.cloud.until(({ ended }) => ended["reserved topic"] === 1);
  await reader.until(() => reader.messages.length === 2);
  expect(stage.cloud.counts).toMatchObject({ received: 3, passed: 2 });
});

/** Text of so many bytes behind its length. */
function field(length: number): Buffer {
  const bytes = Buffer.alloc(2 + length, "x");
  bytes.writeUInt16BE(length);
  return bytes;
}
