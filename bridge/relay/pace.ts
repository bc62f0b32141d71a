/** AWS IoT Core's quotas of a connection, which it does not raise, less a tenth. */
export interface Pace {
  readonly publishesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Publishes without a PUBACK at one time. */
  readonly maxUnacknowledged: number;
}

/**
 * What a connection is given at most. A tenth below the quotas of 100 publishes/s, 512 KB/s and 100 unacknowledged ones: half
 * of that is for a relay that comes late to a publish and catches up, half for a network that holds packets back and brings
 * them together.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html
 */
export const defaultPace: Pace = { publishesPerSecond: 90, bytesPerSecond: 471_859, maxUnacknowledged: 90 };

/** MQTT 5's header of a publish at QoS 1: type, remaining length, topic's length, packet identifier, no property. */
export const publishHeaderBytes = 10;

/** How much of what a connection did not use it may catch up with. */
const catchUpMs = 50;

/** Of the full pace: how much a connection gets at least, and how much more after each quiet time. */
const leastShare = 1 / 64;
const shareStep = 1 / 32;

/**
 * When a connection may publish next. Publishes are spaced out evenly, but for those that come late: there is no second,
 * wherever it begins, that has more than 1.05 times the pace.
 */
export class Pacer {
  readonly #pace: Pace;
  /** Of the pace: halved where the other side does not keep up, and raised again step by step. */
  #share = 1;
  /** Milliseconds, by `performance.now()`. */
  #freeAt = Number.NEGATIVE_INFINITY;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** Of the full pace, from 1/64 to 1. */
  get share(): number {
    return this.#share;
  }

  /** Milliseconds until the next publish may go; 0 where it may at once. */
  waitMs(now: number): number {
    return Math.max(0, this.#freeAt - now);
  }

  spend(bytes: number, now: number): void {
    this.#freeAt = Math.max(now - catchUpMs, this.#freeAt) + (secondsOf(bytes, this.#pace) * 1_000) / this.#share;
  }

  halve(): void {
    this.#share = Math.max(leastShare, this.#share / 2);
  }

  raise(): void {
    this.#share = Math.min(1, this.#share + shareStep);
  }
}

/** How long a publish occupies a connection at full pace. */
export function secondsOf(bytes: number, { publishesPerSecond, bytesPerSecond }: Pace): number {
  return Math.max(1 / publishesPerSecond, bytes / bytesPerSecond);
}
