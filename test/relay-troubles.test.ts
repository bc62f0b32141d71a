import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { decodeFrame } from "../scheme/frame/decode.ts";
import scheme from "./relay.config.ts";
import { type LimitedIotCore, startLimitedIotCore } from "./support/limited-iot-core.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { mosquittoPub } from "./support/mosquitto-clients.ts";
import { RelayProcess } from "./support/relay-process.ts";

const configFile = fileURLToPath(new URL("relay.config.ts", import.meta.url));

/** What an outage leaves behind of a fleet with 100 messages a second in a quarter of an hour. */
const queued = 100_000;
/** `mosquitto_pub -l` stops early with more lines than there are packet identifiers. */
const linesPerPublisher = 50_000;

/** Messages that IoT Core has, by their text, with the ids that they came with. */
class Arrivals {
  readonly ids = new Map<string, Set<string>>();

  take(frame: Uint8Array): void {
    for (const { id, payload } of decodeFrame(frame).members) {
      const text = Buffer.from(payload).toString();
      const ids = this.ids.get(text) ?? new Set();
      this.ids.set(text, ids.add(id));
    }
  }

  get size(): number {
    return this.ids.size;
  }
}

test("100,000 queued messages arrive, whatever happens to the relay and its connections", async () => {
  const arrivals = new Arrivals();
  await using cloud = await startLimitedIotCore({
    onPublish: ({ payload }, discard) => {
      if (discard === undefined) arrivals.take(payload);
    },
  });
  await using edge = await startGenerated(scheme, () => ({ services: { relay: "trestle.relay" } }));
  // One connection, so that it lasts; one that is gone is noticed in 2 s instead of 20.
  const args = ["--connections", "1", "--puback-within", "2s"];
  await using relay = await RelayProcess.start({ configFile, brokerUrl: edge.url, cloud, args });
  // Its session is there: what comes now is kept for it.
  await relay.stop();
  await publishAll(edge);
  const arrived = (part: number) => cloud.until(() => arrivals.size >= queued * part);

  await relay.restart();
  await arrived(0.1);
  await cloud.goAway();
  await cloud.comeBack();
  await arrived(0.25);
  // As many as a full pace knows, and no trouble of the relay's own: nothing was discarded.
  expect(cloud.counts.discarded).toEqual({});
  cloud.limit({ publishesPerSecond: 40 });
  await arrived(0.4);
  expect(cloud.counts.discarded).not.toEqual({});
  cloud.limit({ publishesPerSecond: 100 });
  cloud.freeze();
  await arrived(0.5);
  await flap(cloud, () => arrivals.size < queued * 0.7);
  for (const part of [0.8, 0.9]) {
    await arrived(part);
    await relay.kill();
    await relay.restart();
  }
  await arrived(1);
  await expect.poll(() => relay.metric("messages_held"), { timeout: 20_000 }).toBe(0);
  expect(arrivals.size).toBe(queued);
  // A message that came twice has one id: the API is told that it is the same.
  expect([...arrivals.ids.values()].filter((ids) => ids.size > 1)).toHaveLength(0);
}, 150_000);

async function publishAll(edge: TestBroker): Promise<void> {
  const publishing = Array.from({ length: queued / linesPerPublisher }, async (_, publisher) => {
    const lines = Array.from({ length: linesPerPublisher }, (_, n) => `${publisher}-${n}`).join("\n");
    const device = ["-u", `d${publisher}`, "-t", `v1/drivers/d${publisher}/location`, "-q", "1", "-l"];
    const { code, output } = await mosquittoPub(edge.port, device, Buffer.from(lines));
    if (code !== 0) throw new Error(output);
  });
  await Promise.all(publishing);
}

/** Ends all connections every two seconds, counted from when there is one. */
async function flap(cloud: LimitedIotCore, isWanted: () => boolean): Promise<void> {
  while (isWanted()) {
    cloud.cut();
    const { connects } = cloud.counts;
    await cloud.until((counts) => counts.connects > connects);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}
