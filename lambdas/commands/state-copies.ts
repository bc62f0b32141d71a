import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeCommand } from "../../scheme/command/command-message.ts";
import { deviceIdLevel, fillTemplate, type TopicTemplate } from "../../scheme/topic-template.ts";
import type { CommandPublisher, OutgoingMessage } from "../publish/command-publisher.ts";
import type { PublishAttempt } from "../store/command-record.ts";
import type { Advance, DeviceState, DeviceStates, Lease, Released } from "../store/device-states.ts";
import { acknowledgedAt, acknowledgedBy, publishMs, publishToBrokers } from "./publish-to-brokers.ts";

/** Longer than a broker is waited for, so that it is over under nobody who is alive; then another takes it. */
const leaseMs = publishMs + 2_000;

/** Between looks at a device that somebody else publishes for, with jitter. */
const pauseMs = 25;

export interface StateCopiesOptions {
  readonly states: DeviceStates;
  readonly publishers: readonly CommandPublisher[];
  /** The commands'. */
  readonly topic: TopicTemplate;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface BringOptions {
  /** Milliseconds since 1970. */
  readonly deadlineAt: number;
  /** Brokers whose copies are not what the ledger has: one that lost what it had, say. */
  readonly suspects?: Iterable<string>;
}

/** What bringing brokers up to date came to. */
export interface Brought {
  /** The device before: the version that this is about. */
  readonly place: DeviceState;
  /** The device afterwards. */
  readonly device: DeviceState;
  /** What this process itself published of that version. */
  readonly attempts: readonly PublishAttempt[];
  /** When a broker was known to have that version or a newer one, in milliseconds since 1970. */
  readonly publishedAt: number | undefined;
}

/**
 * The retained messages of devices as copies of the ledger. Whoever holds a device's lease publishes its newest command,
 * again and again until none came meanwhile; the others wait and find theirs published, or superseded, without a
 * publication of their own. A process that was frozen between its check and its publication finds its lease lost, and
 * publishes the newest again over what it may have laid there.
 */
export class StateCopies {
  readonly #options: StateCopiesOptions;

  constructor(options: StateCopiesOptions) {
    this.#options = options;
  }

  /** Makes a command the newest of its device, or clears it, and brings the brokers up to date. */
  async advance(deviceId: string, advance: Advance, options: BringOptions): Promise<Brought> {
    const owner = randomUUID();
    const { device, hasLease } = await this.#options.states.advance(deviceId, advance, this.#lease(owner));
    return await this.#bring(device, owner, hasLease, options);
  }

  /** Brings every broker that can be reached up to date. */
  async bringUpToDate(deviceId: string, options: BringOptions): Promise<Brought> {
    return await this.#bring(await this.#options.states.get(deviceId), randomUUID(), false, options);
  }

  /** Whether all brokers have the newest command of a device. */
  isEverywhere({ copies, version }: DeviceState): boolean {
    return this.#options.publishers.every(({ name }) => copies.get(name) === version);
  }

  async #bring(place: DeviceState, owner: string, hasLease: boolean, options: BringOptions): Promise<Brought> {
    const { states, now } = this.#options;
    const suspected = new Set(options.suspects);
    const attempts: PublishAttempt[] = [];
    const brought = (device: DeviceState): Brought => {
      const known = isPublishedSince(device, place.version) ? now() : undefined;
      return { place, device, attempts, publishedAt: acknowledgedAt(attempts) ?? known };
    };
    let held = hasLease ? place : undefined;
    for (;;) {
      held ??= await states.takeLease(place.deviceId, this.#lease(owner));
      if (held === undefined) {
        const device = await this.#lookOn(place, suspected.size > 0, options.deadlineAt);
        if (device !== undefined) return brought(device);
        continue;
      }
      const tried = await this.#publish(held, suspected);
      if (held.version === place.version) attempts.push(...tried);
      const released = await this.#release(held, owner, acknowledgedBy(tried));
      for (const broker of acknowledgedBy(tried)) suspected.delete(broker);
      if (released.kind === "released") return brought(released.device);
      // Another may have published a newer one before ours arrived: the newest has to be published again, over it.
      if (released.kind === "lost") for (const { broker } of tried) suspected.add(broker);
      held = released.kind === "newer" ? released.device : undefined;
    }
  }

  /** While somebody else holds the lease: the device where there is nothing more to do or to wait for, undefined else. */
  async #lookOn(place: DeviceState, hasSuspects: boolean, deadlineAt: number): Promise<DeviceState | undefined> {
    const { states, now } = this.#options;
    const device = await states.get(place.deviceId);
    const isDone = !hasSuspects && isPublishedSince(device, place.version);
    if (isDone || now() >= deadlineAt) return device;
    await sleep(pauseMs * (0.5 + Math.random()));
    return undefined;
  }

  async #release(held: DeviceState, owner: string, acknowledged: readonly string[]): Promise<Released> {
    const { version, copies } = held;
    const now = new Map([...copies, ...acknowledged.map((broker) => [broker, version] as const)]);
    const isEverywhere = this.isEverywhere({ ...held, copies: now });
    return await this.#options.states.release(held, this.#lease(owner), acknowledged, isEverywhere);
  }

  async #publish(device: DeviceState, suspected: ReadonlySet<string>): Promise<readonly PublishAttempt[]> {
    const { publishers, now } = this.#options;
    const lagging = publishers.filter(({ name }) => suspected.has(name) || device.copies.get(name) !== device.version);
    return await publishToBrokers(lagging, this.#messageOf(device), now);
  }

  #messageOf({ deviceId, version, command }: DeviceState): OutgoingMessage {
    const { topic } = this.#options;
    const payload =
      command === undefined
        ? Buffer.alloc(0)
        : encodeCommand({
            ...{ commandId: command.id, kind: "state", version },
            ...{ issuedAt: command.issuedAt, body: command.body },
          });
    return {
      topic: fillTemplate(topic, (level) => (level === deviceIdLevel ? deviceId : "")),
      payload,
      isRetained: true,
    };
  }

  #lease(owner: string): Lease {
    return { owner, until: this.#options.now() + leaseMs };
  }
}

/** Whether some broker has a version or a newer one. */
function isPublishedSince({ copies }: DeviceState, version: number): boolean {
  return [...copies.values()].some((copy) => copy >= version);
}
