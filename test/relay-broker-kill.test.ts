import { randomInt } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { Relay } from "../bridge/relay/relay.ts";
import { decodeFrame } from "../scheme/frame/decode.ts";
import scheme from "./relay.config.ts";
import { startLimitedIotCore } from "./support/limited-iot-core.ts";
import { startGenerated, type TestBroker } from "./support/mosquitto.ts";

const kills = 3;
const deviceCount = 10;
/** Between a device's PUBACK and its next message: at most 2,000 messages a second in all, which the relay reads at once. */
const restMs = 5;

/**
 * What a kill may lose of what the broker has acknowledged: Mosquitto writes a message to a connected subscriber's socket before
 * the PUBACK, so that it is lost only where the relay has not read and the socket is full. The README says one for each device
 * that sends at that instant.
 */
const bound = kills * deviceCount;

/** Devices that publish one message after the other, and know which of them the broker has acknowledged. */
class BusyFleet implements AsyncDisposable {
  readonly acknowledged: string[] = [];
  readonly #clients: readonly MqttClient[];
  readonly #events = new EventEmitter();
  #isStopping = false;

  constructor({ url }: TestBroker) {
    this.#clients = Array.from({ length: deviceCount }, (_, index) => {
      // It keeps what has no PUBACK, and sends it again.
      const session = { clean: false, properties: { sessionExpiryInterval: 3_600 } };
      const name = `d${index}`;
      const identity = { clientId: name, username: name, protocolVersion: 5 } as const;
      const client = mqtt.connect(url, { ...identity, ...session, reconnectPeriod: 100 });
      client.on("error", () => {});
      client.once("connect", () => {
        this.#publish(client, name, 0);
      });
      return client;
    });
  }

  /** Resolves when so many more are acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    while (this.acknowledged.length < goal) await once(this.#events, "acknowledged");
  }

  stop(): void {
    this.#isStopping = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true)));
  }

  #publish(client: MqttClient, name: string, number: number): void {
    if (this.#isStopping) return;
    const text = `${name}-${number}`;
    client.publish(`v1/drivers/${name}/location`, text, { qos: 1 }, (error) => {
      if (error) return;
      this.acknowledged.push(text);
      this.#events.emit("acknowledged");
      setTimeout(() => this.#publish(client, name, number + 1), restMs);
    });
  }
}

test.for(["every-second", "every-message"] as const)(
  "kill -9 of Mosquitto 2.0, saved %s, under a connected relay",
  { timeout: 120_000 },
  async (durability) => {
    const arrived = new Set<string>();
    await using cloud = await startLimitedIotCore({
      onPublish: ({ payload }, discard) => {
        if (discard !== undefined) return;
        for (const member of decodeFrame(payload).members) arrived.add(Buffer.from(member.payload).toString());
      },
    });
    await using edge = await startGenerated(scheme, () => ({ services: { relay: "trestle.relay" }, durability }));
    const dataFolder = await mkdtemp(join(tmpdir(), "trestle-relay-"));
    onTestFinished(() => rm(dataFolder, { recursive: true }));
    await using relay = await Relay.start({
      ...{ scheme, dataFolder, log: () => {} },
      local: { url: edge.url, username: "trestle.relay" },
      cloud: { url: cloud.url, clientId: "edge", tls: await cloud.credentials() },
    });
    await relay.subscribed;
    await using fleet = new BusyFleet(edge);
    for (let kill = 0; kill < kills; kill += 1) {
      await expect.poll(() => relay.isBrokerConnected, { timeout: 30_000 }).toBe(true);
      // A session that was never saved is gone with the broker, and with it what it would have kept.
      await edge.logged(/Saving in-memory database/, edge.lines.length);
      await fleet.progress(100 + randomInt(500));
      await edge.kill();
      await edge.start();
    }
    await fleet.progress(500);
    fleet.stop();
    await expect.poll(() => relay.held, { timeout: 30_000 }).toBe(0);
    const lost = fleet.acknowledged.filter((text) => !arrived.has(text));
    console.log(
      `${lost.length} of ${fleet.acknowledged.length} acknowledged messages lost in ${kills} kills, ${durability}`,
    );
    expect(lost.length).toBeLessThanOrEqual(bound);
  },
);
