import { Device } from "../client/device.ts";
import type { Route, Scheme } from "../scheme/scheme.ts";
import { deviceIdLevel, fillTemplate, type TopicTemplate } from "../scheme/topic-template.ts";
import { Driver } from "./driver.ts";

/** Milliseconds between two messages of a device on a route; others than the sample's have the last. */
const intervalsMs: Readonly<Record<string, number>> = { activity: 5_000, health: 3_000 };
const otherIntervalMs = 2_000;

/** The route whose messages are positions: a driver asks each second whether it is to send one. */
const locationRoute = "location";

/** A few devices that send on every route of the scheme and obey its commands, named d1, d2 and so on. */
export class Drivers implements AsyncDisposable {
  readonly #devices: readonly Device[];
  readonly #timers: readonly NodeJS.Timeout[];

  private constructor(devices: readonly Device[], timers: readonly NodeJS.Timeout[]) {
    this.#devices = devices;
    this.#timers = timers;
  }

  /** @throws {ClientError} where the broker cannot be reached, or refuses one of them. */
  static async start(url: string, count: number, scheme: Scheme): Promise<Drivers> {
    const drivers = Array.from({ length: count }, () => new Driver());
    const connecting = drivers.map((driver, index) => connect(url, `d${index + 1}`, driver, scheme));
    const devices = (await Promise.allSettled(connecting)).flatMap((result) =>
      result.status === "fulfilled" ? result.value : [],
    );
    try {
      await Promise.all(connecting);
    } catch (error) {
      await Promise.all(devices.map((device) => device.close()));
      throw error;
    }
    const timers = devices.flatMap((device, index) => simulate(device, drivers[index] ?? new Driver(), scheme));
    return new Drivers(devices, timers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#devices.map((device) => device.close()));
  }
}

function connect(url: string, deviceId: string, driver: Driver, { commands }: Scheme): Promise<Device> {
  const options = {
    ...{ deviceId, username: deviceId, closeTimeoutMs: 2_000, maxUnacknowledged: 10_000 },
    onProblem: ({ message }: Error) => driver.note(message),
  };
  if (commands === undefined) return Device.connect(url, options);
  return Device.connect(url, {
    ...options,
    commands: { topic: ownTopic(commands.topic), replies: ownTopic(commands.replies) },
    onCommand: ({ body }) => driver.obey(body),
  });
}

function simulate(device: Device, driver: Driver, { routes }: Scheme): readonly NodeJS.Timeout[] {
  return [...routes.values()].map((route) =>
    route.name === locationRoute
      ? setInterval(() => publish(device, driver, route, driver.drive()), 1_000)
      : setInterval(
          () => publish(device, driver, route, driver.bodyFor(route.name)),
          intervalsMs[route.name] ?? otherIntervalMs,
        ),
  );
}

function publish(device: Device, driver: Driver, { name, topic, qos }: Route, body: object | undefined): void {
  if (body === undefined) return;
  const header = { "content-type": "application/json" };
  device
    .publish(ownTopic(topic), { header, body }, { qos })
    .then(() => driver.note(`${name} sent`))
    .catch((error: Error) => driver.note(`${name} not sent: ${error.message}`));
}

/** Only the device's id is left to fill in. */
function ownTopic(topic: TopicTemplate): string {
  return fillTemplate(topic, (level) => (level === deviceIdLevel ? `{${deviceIdLevel}}` : "sample"));
}
