import mqtt, { type MqttClient } from "mqtt";
import type { Route, Scheme } from "../scheme/scheme.ts";
import { deviceIdLevel, fillTemplate } from "../scheme/topic-template.ts";

/** One simulated device: where it is and how it is. */
class Driver {
  #latitude = 52.52;
  #longitude = 13.405;
  #battery = 1;

  /** What it sends on a route; a route that the sample does not have gets a time. */
  bodyFor(route: string): object {
    const at = Date.now();
    switch (route) {
      case "location":
        this.#latitude = wander(this.#latitude);
        this.#longitude = wander(this.#longitude);
        return { lat: this.#latitude, lon: this.#longitude, at };
      case "activity":
        return { activity: Math.random() < 0.8 ? "driving" : "waiting", at };
      case "health":
        this.#battery = Math.max(0, Math.round(this.#battery * 1000 - 1) / 1000);
        return { battery: this.#battery, at };
      default:
        return { at };
    }
  }
}

/** Milliseconds between two messages of a device on a route; others than the sample's have the last. */
const intervalsMs: Readonly<Record<string, number>> = { location: 1_000, activity: 5_000, health: 3_000 };
const otherIntervalMs = 2_000;

/** A few devices that send on every route of the scheme, named d1, d2 and so on. */
export class Drivers implements AsyncDisposable {
  readonly #clients: readonly MqttClient[];
  readonly #timers: readonly NodeJS.Timeout[];

  private constructor(clients: readonly MqttClient[], timers: readonly NodeJS.Timeout[]) {
    this.#clients = clients;
    this.#timers = timers;
  }

  static async start(url: string, count: number, scheme: Scheme): Promise<Drivers> {
    const names = Array.from({ length: count }, (_, index) => `d${index + 1}`);
    const clients = await Promise.all(
      names.map((name) => mqtt.connectAsync(url, { clientId: name, username: name, protocolVersion: 4 })),
    );
    const timers = clients.flatMap((client, index) => simulate(client, names[index] ?? "", scheme));
    return new Drivers(clients, timers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#clients.map((client) => client.endAsync()));
  }
}

function simulate(client: MqttClient, deviceId: string, { routes }: Scheme): readonly NodeJS.Timeout[] {
  const driver = new Driver();
  return [...routes.values()].map((route) =>
    setInterval(() => publish(client, driver, deviceId, route), intervalsMs[route.name] ?? otherIntervalMs),
  );
}

function publish(client: MqttClient, driver: Driver, deviceId: string, { name, topic, qos }: Route): void {
  const header = { "content-type": "application/json" };
  const topicName = fillTemplate(topic, (level) => (level === deviceIdLevel ? deviceId : "sample"));
  client.publish(topicName, JSON.stringify({ header, body: driver.bodyFor(name) }), { qos });
}

/** A coordinate after one second, at most about 15 m away. */
function wander(degrees: number): number {
  return Number((degrees + (Math.random() - 0.5) * 0.000_27).toFixed(6));
}
