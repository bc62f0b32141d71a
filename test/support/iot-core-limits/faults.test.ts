import { describe, expect, test } from "vitest";
import { connectAs } from "../mqtt-client.ts";
import { PacketType } from "../raw-mqtt.ts";
import { noLimits } from "./limits.ts";
import { closed, ingest, limitedStage, shortTopic } from "./testing.ts";

const stage = limitedStage();

describe("faults", () => {
  test("a forgotten PUBACK: the broker has the message, its sender does not know", async () => {
    stage.cloud.fail({ forgetsPuback: (passed) => passed === 2 });
    using client = await stage.connectRaw(5);
    for (let count = 0; count < 3; count++) client.publish(shortTopic, "x");
    await stage.cloud.until(({ acknowledged }) => acknowledged === 2);
    expect(stage.cloud.counts).toMatchObject({ passed: 3, forgotten: 1, discarded: {} });
  });

  test("a half-open connection: nothing comes through, and nobody is told; a new one works", async () => {
    using dead = await stage.connectRaw(5);
    stage.cloud.freeze();
    dead.publish(shortTopic, "lost");
    stage.clock.advance(1_000);
    using alive = await stage.connectRaw(5);
    alive.publish(shortTopic, "x");
    expect(await alive.next()).toMatchObject({ type: PacketType.puback });
    // Whatever the dead one was told would have come before its client closes it.
    expect(stage.cloud.counts).toMatchObject({ received: 1, passed: 1, ended: { "duplicate client id": 1 } });
    const [silence] = await Promise.all([dead.next(), dead.end()]);
    expect(silence).toBeUndefined();
  });

  test("an outage ends connections and refuses new ones until it is over", async () => {
    const { client } = await stage.connectAndSee({});
    const ended = closed(client);
    await stage.cloud.goAway();
    await ended;
    await expect(stage.connectOne()).rejects.toThrow(/ECONNREFUSED/);
    await stage.cloud.comeBack();
    stage.clock.advance(1_000);
    await using back = await stage.connectOne();
    await back.publish(`${ingest}a`, "x");
    expect(stage.cloud.counts.ended).toEqual({ cut: 1 });
  });

  test("a distant endpoint: answers come when the delay is over", async () => {
    await using client = await stage.connectOne();
    stage.cloud.fail({ answerDelayMs: 30 });
    const answered = client.publish(`${ingest}a`, "x");
    await stage.cloud.until(({ acknowledged }) => acknowledged === 1);
    let isAnswered = false;
    void answered.then(() => {
      isAnswered = true;
    });
    stage.clock.advance(29);
    stage.cloud.fail({ answerDelayMs: 0 });
    await using other = await stage.connectOne({ clientId: "other" });
    await other.publish(`${ingest}a`, "its answer overtakes the delayed one");
    expect(isAnswered).toBe(false);
    stage.clock.advance(1);
    await answered;
  });
});

test("the reader stands where the rules engine does: no limit holds for it", async () => {
  await using reader = await connectAs(stage.cloud.url, "", { ...stage.cloud.reader, clientId: "reader" });
  await reader.subscribe(["$aws/rules/#"]);
  stage.cloud.limit(noLimits);
  await using client = await stage.connectOne();
  for (let count = 0; count < 1_000; count++) client.mqtt.publish(`${ingest}a`, `${count}`, { qos: 1 });
  await reader.until(({ payload }) => payload.toString() === "999");
  expect(reader.messages).toHaveLength(1_000);
  expect(stage.cloud.counts).toMatchObject({ passed: 1_000, delivered: 0 });
});
