import { describe, expect, test } from "vitest";
import { PacketType } from "../raw-mqtt.ts";
import { closed, ingest, limitedStage, shortTopic, versions } from "./testing.ts";

const stage = limitedStage();

describe.for(versions)("over MQTT %d", (version) => {
  test("one CONNECT a second for each client id; the older connection ends", async () => {
    using first = await stage.connectRaw(version);
    using second = await stage.openRaw(version);
    second.connect("ignored", undefined, { clientId: "one" });
    const refusal = await second.next();
    expect(refusal?.body.readUInt8(1)).toBe(version === 5 ? 0x97 : undefined);
    expect(stage.cloud.counts).toMatchObject({ connects: 1, refused: { "too many connects": 1 }, ended: {} });

    using other = await stage.openRaw(version);
    other.connect("ignored", undefined, { clientId: "other" });
    expect(await other.next()).toMatchObject({ type: PacketType.connack });

    stage.clock.advance(1_000);
    using third = await stage.connectRaw(version);
    third.publish(shortTopic, "x");
    expect(await third.next()).toMatchObject({ type: PacketType.puback });
    const farewell = await first.next();
    expect(farewell?.body.readUInt8(0)).toBe(version === 5 ? 0x8e : undefined);
    expect(stage.cloud.counts.ended).toEqual({ "duplicate client id": 1 });
  });

  test.for([
    [5, 30],
    [0, 1_200],
    [65_535, 1_200],
    [600, 600],
  ] as const)("a keep-alive of %d s counts as %d s, and ends a silent connection", async ([asked, counted]) => {
    const { connack, client } = await stage.connectAndSee({ keepalive: asked, protocolVersion: version });
    if (version === 5) expect(connack.properties?.serverKeepAlive).toBe(asked === counted ? undefined : counted);
    stage.clock.advance(counted * 1_500 - 1);
    await client.publishAsync(`${ingest}a`, "x", { qos: 1 });
    stage.clock.advance(counted * 1_500 - 1);
    expect(stage.cloud.counts.ended).toEqual({});
    const ended = closed(client);
    stage.clock.advance(1);
    await ended;
    expect(stage.cloud.counts.ended).toEqual({ "keep-alive timeout": 1 });
  });
});

test("announces its limits over MQTT 5", async () => {
  const { connack } = await stage.connectAndSee({ protocolVersion: 5 });
  expect(connack.properties).toMatchObject({ maximumQoS: 1, receiveMaximum: 100, maximumPacketSize: 149_504 });
});

test.for([
  ["a client id of 129 bytes", "client id", { protocolVersion: 5, clientId: "x".repeat(129) }],
  [
    "a will on $SYS, as bridges with notifications have it",
    "will on a reserved topic",
    { will: { topic: "$SYS/broker/connection/edge/state", payload: Buffer.from("0"), qos: 1, retain: true } },
  ],
] as const)("turns away %s", async ([, reason, options]) => {
  await expect(stage.connectOne(options)).rejects.toThrow();
  expect(stage.cloud.counts).toMatchObject({ connects: 0, refused: { [reason]: 1 } });
});

test("turns away the flag by which Mosquitto presents itself as a bridge (try_private)", async () => {
  using client = await stage.openRaw(4);
  const body = Buffer.from("\0\x04MQTT\x84\x02\0\x3c\0\x03one", "latin1");
  client.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
  expect(await client.next()).toMatchObject({ type: PacketType.connack, body: Buffer.from([0, 1]) });
  expect(stage.cloud.counts).toMatchObject({ connects: 0, refused: { "bridge flag": 1 } });
});
