import mqtt, { type MqttClient } from "mqtt";
import type { Fleet } from "./fleet.ts";
import type { Progress } from "./progress.ts";
import type { Tally } from "./tally.ts";

/** Messages of all devices together that wait for their PUBACK at most. */
const window = 1_000;

/**
 * Messages are sent in bursts, as a fleet does after a tunnel: until so much of a run is under way, which of 100,000 is
 * more than the engine keeps in memory, and again when so little is.
 */
export const burst = { until: 1 / 5, again: 1 / 20 };

/** The fleet's devices, connected; in turn they publish at QoS 1, in bursts. */
export class Publisher implements AsyncDisposable {
  readonly #fleet: Fleet;
  readonly #clients: readonly MqttClient[];

  private constructor(fleet: Fleet, clients: readonly MqttClient[]) {
    this.#fleet = fleet;
    this.#clients = clients;
  }

  static async connect(url: string, fleet: Fleet): Promise<Publisher> {
    const connecting = fleet.deviceIds.map(async (deviceId, index) => {
      // Both protocols, in turn by pairs: whether a device names its messages does not go with its protocol.
      const protocolVersion = index % 4 < 2 ? 4 : 5;
      const client = await mqtt.connectAsync(url, {
        clientId: deviceId,
        username: deviceId,
        protocolVersion,
        // As a device that keeps what has no PUBACK: a broker that was killed gets it again.
        clean: false,
        ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
        reconnectPeriod: 200,
      });
      // A broker that is away; it connects again.
      return client.on("error", () => {});
    });
    return new Publisher(fleet, await Promise.all(connecting));
  }

  /**
   * Publishes the run's messages, and further ones until `isOver`: what disturbs them has to find some under way.
   * Resolves when every one is acknowledged. A refused one fails the run.
   */
  async publishAll(tally: Tally, progress: Progress, isOver: () => boolean): Promise<void> {
    let inFlight = 0;
    const hasRoom = () => inFlight < window;
    const isDrained = () => tally.undelivered <= tally.messages * burst.again;
    for (let number = 0; number < tally.messages || !isOver(); number++) {
      if (number === tally.capacity) throw new Error(`the plan is not over after ${number} messages`);
      if (tally.undelivered >= tally.messages * burst.until) await progress.until(isDrained);
      if (!hasRoom()) await progress.until(hasRoom);
      inFlight += 1;
      tally.published += 1;
      this.#publish(number, (error) => {
        if (error) return progress.fail(error);
        inFlight -= 1;
        tally.acknowledge(number);
        progress.advance();
      });
    }
    await progress.until(() => tally.acknowledged === tally.published);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true)));
  }

  #publish(number: number, done: (error?: Error) => void): void {
    const { topic, payload } = this.#fleet.message(number);
    this.#clients[number % this.#clients.length]?.publish(topic, payload, { qos: 1 }, (error) => {
      // What the library had not sent when its connection was closed, it gives back, and must not get while it does.
      if (error?.message === "Connection closed") setImmediate(() => this.#publish(number, done));
      else done(error ?? undefined);
    });
  }
}
