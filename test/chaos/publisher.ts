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
const burst = { until: 1 / 5, again: 1 / 20 };

/** The fleet's devices, connected; in turn they publish at QoS 1, in bursts. */
export class Publisher implements AsyncDisposable {
  readonly #fleet: Fleet;
  readonly #clients: readonly MqttClient[];

  private constructor(fleet: Fleet, clients: readonly MqttClient[]) {
    this.#fleet = fleet;
    this.#clients = clients;
  }

  static async connect(url: string, fleet: Fleet): Promise<Publisher> {
    const connecting = fleet.deviceIds.map((deviceId, index) =>
      // Both protocols, in turn by pairs: whether a device names its messages does not go with its protocol.
      mqtt.connectAsync(url, { clientId: deviceId, username: deviceId, protocolVersion: index % 4 < 2 ? 4 : 5 }),
    );
    return new Publisher(fleet, await Promise.all(connecting));
  }

  /** Resolves when every message is acknowledged. A refused one fails the run. */
  async publishAll(tally: Tally, progress: Progress): Promise<void> {
    let inFlight = 0;
    const hasRoom = () => inFlight < window;
    const isDrained = () => tally.undelivered <= tally.messages * burst.again;
    for (let number = 0; number < tally.messages; number++) {
      if (tally.undelivered >= tally.messages * burst.until) await progress.until(isDrained);
      if (!hasRoom()) await progress.until(hasRoom);
      inFlight += 1;
      this.#publish(number, (error) => {
        inFlight -= 1;
        if (error) return progress.fail(error);
        tally.acknowledge(number);
        progress.advance();
      });
    }
    await progress.until(() => tally.acknowledged === tally.messages);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true)));
  }

  #publish(number: number, done: (error?: Error) => void): void {
    const { topic, payload } = this.#fleet.message(number);
    this.#clients[number % this.#clients.length]?.publish(topic, payload, { qos: 1 }, done);
  }
}
