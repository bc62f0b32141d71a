import type { Packet } from "mqtt";
import { describe, expect, test } from "vitest";
import type { TestClient } from "../mqtt-client.ts";
import { limitedStage, versions } from "./testing.ts";

const stage = limitedStage();

describe.for(versions)("over MQTT %d", (version) => {
  test("a stored retained message comes to an exact subscription only, and RETAIN is 0 on live delivery", async () => {
    await using client = await stage.connectOne({ protocolVersion: version });
    await client.publish("state/d42", "stored", { retain: true });
    await client.subscribe(["state/+", "state/#"]);
    await client.publish("state/end", "live", { retain: true });
    await client.until(({ payload }) => payload.toString() === "live");
    expect(client.messages.map(({ topic, packet: { retain } }) => [topic, retain])).toEqual(
      Array.from(client.messages, () => ["state/end", false]),
    );
    client.messages.splice(0);
    await client.subscribe(["state/d42"]);
    expect(await client.until(() => true)).toMatchObject({ topic: "state/d42", packet: { retain: true } });
    expect(stage.cloud.counts.undelivered).toBeGreaterThan(0);
  });

  test("9 filters in one SUBSCRIBE are refused, and more than 50 of a connection", async () => {
    stage.cloud.limit({ publishesPerSecond: Number.POSITIVE_INFINITY });
    await using client = await stage.connectOne({ protocolVersion: version });
    const filters = Array.from({ length: 51 }, (_, index) => `f/${index}`);
    await expect(granted(client, filters.slice(0, 9))).resolves.toEqual(Array.from({ length: 9 }, () => false));
    for (let from = 0; from < 48; from += 8) {
      expect(await granted(client, filters.slice(from, from + 8))).not.toContain(false);
    }
    expect(await granted(client, filters.slice(48, 50))).toEqual([true, true]);
    expect(await granted(client, filters.slice(50))).toEqual([false]);
    expect(await granted(client, ["1/2/3/4/5/6/7/8/9"])).toEqual([false]);
  });

  test("a reserved filter ends the connection", async () => {
    await using client = await stage.connectOne({ protocolVersion: version });
    client.mqtt.subscribe("$aws/rules/#", { qos: 1 }, () => {});
    await stage.cloud.until(({ ended }) => ended["reserved topic"] === 1);
  });
});

test("a subscription identifier ends the connection", async () => {
  await using client = await stage.connectOne({ protocolVersion: 5 });
  client.mqtt.subscribe("a", { qos: 1, properties: { subscriptionIdentifier: 1 } }, () => {});
  await stage.cloud.until(({ ended }) => ended["subscription identifier"] === 1);
});

test("No Local and Retain As Published count for nothing", async () => {
  await using client = await stage.connectOne();
  await client.subscribe(["own"], { qos: 1, nl: true, rap: true });
  await client.publish("own", "x", { retain: true });
  expect((await client.until(() => true)).packet.retain).toBe(false);
});

/** Of each filter, whether the SUBACK grants it. */
async function granted(client: TestClient, filters: readonly string[]): Promise<readonly boolean[]> {
  const answer = new Promise<Packet>((resolve) => client.mqtt.once("packetreceive", resolve));
  client.mqtt.subscribe([...filters], { qos: 1 }, () => {});
  const packet = await answer;
  return packet.cmd === "suback" ? packet.granted.map((code) => Number(code) < 0x80) : [];
}
