import { defaultTracking, type TrackingSettings } from "./tracking.ts";

export interface Position {
  readonly lat: number;
  readonly lon: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a message with positions says: the last one, and where they are more than one, all of them in order. */
export interface LocationBody extends Position {
  readonly path?: readonly Position[];
}

/** Takes positions and sends them as the settings say. Time is what its caller counts: a second for each call. */
export class Tracker {
  #settings = defaultTracking;
  #sampled: Position | undefined;
  #secondsSinceSample = 0;
  #secondsSinceTransmission = 0;
  #path: Position[] = [];

  get settings(): TrackingSettings {
    return this.#settings;
  }

  /** Obeys from the next second on, as if it had just begun; positions that were not sent yet are dropped. */
  set(settings: TrackingSettings): void {
    this.#settings = settings;
    this.#sampled = undefined;
    this.#secondsSinceSample = 0;
    this.#secondsSinceTransmission = 0;
    this.#path = [];
  }

  /** A second later, the device being there now: what is to be sent, undefined where nothing is. */
  afterSecond(position: Position): LocationBody | undefined {
    const { isTracking, sampling, transmissionSeconds } = this.#settings;
    if (!isTracking) return undefined;
    if (++this.#secondsSinceSample >= sampling.seconds && this.#hasMoved(position, sampling.meters)) {
      this.#sampled = position;
      this.#secondsSinceSample = 0;
      this.#path.push(position);
    }
    if (++this.#secondsSinceTransmission < transmissionSeconds) return undefined;
    this.#secondsSinceTransmission = 0;
    const path = this.#path;
    this.#path = [];
    const last = path.at(-1);
    return last && (path.length === 1 ? last : { ...last, path });
  }

  #hasMoved(position: Position, meters: number): boolean {
    return this.#sampled === undefined || metersBetween(this.#sampled, position) >= meters;
  }
}

const metersPerDegree = 111_195; // of a great circle: 40,030 km ÷ 360

/** On a plane, which is right to a metre for as far as a driver gets between two positions. */
export function metersBetween(a: Position, b: Position): number {
  const north = (b.lat - a.lat) * metersPerDegree;
  const east = (b.lon - a.lon) * metersPerDegree * Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot(north, east);
}
