import { describe, expect, test } from "vitest";
import { publishPacket } from "../raw-mqtt.ts";
import { documentedLimits } from "./limits.ts";
import { ingest, limitedStage, subscribePacket, versions } from "./testing.ts";

const stage = limitedStage();

describe("the rate", () => {
  test("discards what exceeds it without a PUBACK, and keeps the connection", async () => {
    await using client = await stage.connectOne({ protocolVersion: 4 });
    for (let count = 0; count < 250; count++) client.mqtt.publish(`${ingest}a`, "x", { qos: 1 });
    await stage.cloud.until(({ received, acknowledged }) => received === 250 && acknowledged === 100);
    expect(stage.cloud.counts).toMatchObject({ passed: 100, discarded: { rate: 150 }, ended: {} });
    stage.clock.advance(999);
    client.mqtt.publish(`${ingest}a`, "x", { qos: 1 });
    await stage.cloud.until(({ received }) => received === 251);
    expect(stage.cloud.counts).toMatchObject({ passed: 100, discarded: { rate: 151 } });
    stage.clock.advance(1);
    await client.publish(`${ingest}a`, "x");
    expect(stage.cloud.counts.passed).toBe(101);
  });

  test("counts what comes in and what goes out together; QoS 1 goes out later, QoS 0 not at all", async () => {
    stage.cloud.limit({ publishesPerSecond: 10 });
    await using client = await stage.connectOne();
    await client.subscribe(["own"]);
    for (let count = 0; count < 8; count++) client.mqtt.publish("own", `${count}`, { qos: 1 });
    await stage.cloud.until(({ passed, acknowledged }) => passed === 8 && acknowledged === 8);
    await client.until(({ payload }) => payload.toString() === "1");
    expect(client.messages).toHaveLength(2);
    stage.clock.advance(1_000);
    await client.until(({ payload }) => payload.toString() === "7");
    expect(client.texts).toEqual(Array.from({ length: 8 }, (_, index) => `own ${index}`));

    stage.clock.advance(1_000);
    for (let count = 0; count < 8; count++) client.mqtt.publish("own", "QoS 0", { qos: 0 });
    await stage.cloud.until(({ delivered, undelivered }) => delivered === 10 && undelivered === 6);
  });

  test("can be set below the documented one while clients are connected", async () => {
    await using client = await stage.connectOne({ protocolVersion: 4 });
    stage.cloud.limit({ publishesPerSecond: 3 });
    for (let count = 0; count < 5; count++) client.mqtt.publish(`${ingest}a`, "x", { qos: 1 });
    expect((await stage.cloud.until(({ received }) => received === 5)).passed).toBe(3);
  });
});

test("more than 512 KB in a second are delayed, not lost", async () => {
  await using client = await stage.connectOne();
  const payload = Buffer.alloc(documentedLimits.payloadBytes);
  const sent = Promise.all(Array.from({ length: 6 }, () => client.publish(`${ingest}a`, payload)));
  let seconds = 0;
  for (let delays = 1; stage.cloud.counts.received < 6; delays++) {
    await stage.cloud.until((counts) => counts.delays >= delays || counts.received === 6);
    if (delays === 1) expect(stage.cloud.counts.received).toBeLessThanOrEqual(4);
    stage.clock.advance(100);
    seconds += 0.1;
  }
  await sent;
  // 6 × 128 KB are 256 KB more than a second's worth.
  expect(seconds).toBeGreaterThanOrEqual(0.5);
  expect(stage.cloud.counts).toMatchObject({ passed: 6, discarded: {} });
});

test("publishes beyond 100 that are not acknowledged are not accepted", async () => {
  stage.cloud.limit({ publishesPerSecond: Number.POSITIVE_INFINITY });
  using client = await stage.connectRaw(4);
  const packets = Array.from({ length: 105 }, (_, index) => {
    const packet = publishPacket(4, `${ingest}a`, Buffer.from("x"));
    packet.writeUInt16BE(index + 1, packet.length - 3);
    return packet;
  });
  // In one piece, so that no PUBACK comes in between.
  client.write(Buffer.concat(packets));
  await stage.cloud.until(({ received, acknowledged }) => received === 105 && acknowledged === 100);
  expect(stage.cloud.counts.discarded).toEqual({ unacknowledged: 5 });
});

test.for(versions)("over MQTT %d no more than 100 go out without an acknowledgement", async (version) => {
  stage.cloud.limit({ publishesPerSecond: Number.POSITIVE_INFINITY });
  using silent = await stage.connectRaw(version);
  silent.write(subscribePacket(version, "own", 1));
  await silent.next();
  await using sender = await stage.connectOne({ clientId: "sender" });
  for (let count = 0; count < 120; count++) await sender.publish("own", "x");
  // QoS 0 waits for nothing: when it is there, so is all that is to come.
  await sender.publish("own", "fence", { qos: 0 });
  await stage.cloud.until(({ delivered }) => delivered >= 101);
  let received = 0;
  while ((await silent.next())?.body.toString().endsWith("fence") === false) received++;
  expect(received).toBe(100);
});
