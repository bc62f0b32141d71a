import type { MessageProperties } from "../../client/message.ts";
import type { Qos } from "../../scheme/scheme.ts";
import { type Pace, publishHeaderBytes, secondsOf } from "./pace.ts";

/** One publish to IoT Core: a frame, or a message by itself. */
export interface Parcel {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly properties?: MessageProperties | undefined;
  /** Messages in it. */
  readonly messages: number;
  /** Goes before those that are not. */
  readonly isUrgent: boolean;
  /** Called once: IoT Core has it, or, at QoS 0, it is sent or gone. */
  settle(outcome: "sent" | "dropped"): void;
}

/** Bytes that it takes of a connection's quota; properties are not counted. */
export function bytesOf({ topic, payload }: Parcel): number {
  return payload.length + topic.length + publishHeaderBytes;
}

/** What waits for a connection: urgent ones first, each kind in its order. */
export class ParcelQueue {
  readonly #pace: Pace;
  readonly #urgent = new Line();
  readonly #others = new Line();
  readonly #takers = new Set<() => void>();
  #seconds = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  get length(): number {
    return this.#urgent.length + this.#others.length;
  }

  /** How long all of them occupy one connection at full pace. */
  get seconds(): number {
    return this.length === 0 ? 0 : this.#seconds;
  }

  add(parcel: Parcel): void {
    this.#lineOf(parcel).push(parcel);
    this.#seconds += this.#secondsOf(parcel);
    for (const take of this.#takers) take();
  }

  take(): Parcel | undefined {
    const parcel = this.#urgent.shift() ?? this.#others.shift();
    if (parcel !== undefined) this.#seconds -= this.#secondsOf(parcel);
    return parcel;
  }

  /** Those that were taken and could not be sent, in their order, before all others. */
  putBack(parcels: readonly Parcel[]): void {
    for (const parcel of parcels.toReversed()) {
      this.#lineOf(parcel).unshift(parcel);
      this.#seconds += this.#secondsOf(parcel);
    }
    if (parcels.length > 0) for (const take of this.#takers) take();
  }

  /** Takes out those of QoS 0. */
  takeQos0(): readonly Parcel[] {
    const gone = [...this.#urgent.takeQos0(), ...this.#others.takeQos0()];
    for (const parcel of gone) this.#seconds -= this.#secondsOf(parcel);
    return gone;
  }

  /** Has somebody told when there may be something to take; returns what ends that. */
  whenAdded(take: () => void): () => void {
    this.#takers.add(take);
    return () => this.#takers.delete(take);
  }

  #lineOf({ isUrgent }: Parcel): Line {
    return isUrgent ? this.#urgent : this.#others;
  }

  #secondsOf(parcel: Parcel): number {
    return secondsOf(bytesOf(parcel), this.#pace);
  }
}

/** A queue that takes out of its begin without moving the rest each time. */
class Line {
  #items: Parcel[] = [];
  #begin = 0;

  get length(): number {
    return this.#items.length - this.#begin;
  }

  push(parcel: Parcel): void {
    this.#items.push(parcel);
  }

  shift(): Parcel | undefined {
    const parcel = this.#items[this.#begin];
    if (parcel === undefined) return undefined;
    this.#begin += 1;
    // Not each time, which would make a long queue quadratic.
    if (this.#begin * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#begin);
      this.#begin = 0;
    }
    return parcel;
  }

  unshift(parcel: Parcel): void {
    if (this.#begin > 0) {
      this.#begin -= 1;
      this.#items[this.#begin] = parcel;
    } else this.#items.unshift(parcel);
  }

  takeQos0(): readonly Parcel[] {
    const rest = this.#items.slice(this.#begin);
    this.#items = rest.filter(({ qos }) => qos === 1);
    this.#begin = 0;
    return rest.filter(({ qos }) => qos === 0);
  }
}
