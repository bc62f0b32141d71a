import type { PublishProperties } from "../client-options.ts";
import { DeviceError } from "./device-error.ts";
import type { DeviceStore } from "./store.ts";

/** A message at QoS 1 on its way out. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** Left out where the connection has MQTT 3.1.1. */
  readonly properties?: PublishProperties;
}

/** How one try to have a message acknowledged ended; an error is the broker's refusal. */
export type Delivery = "acknowledged" | "again" | Error;

export interface BacklogOptions {
  /** Begins the keys of its messages in the store. */
  readonly name: string;
  /** Messages that are kept at most. */
  readonly capacity: number;
  readonly store: DeviceStore;
  /** Tries once. It never rejects, and a message that it gave up does not get out later. */
  readonly send: (message: OutgoingMessage) => Promise<Delivery>;
  readonly isConnected: () => boolean;
  /** Milliseconds before another try where the connection is there and a message was not acknowledged. */
  readonly retryDelayMs: number;
  readonly onProblem: (error: DeviceError) => void;
}

interface Entry extends PromiseWithResolvers<void> {
  readonly key: string;
  readonly message: OutgoingMessage;
  /** Resolves when the store has it. */
  readonly stored: Promise<void>;
}

/**
 * Messages that are kept until the broker has acknowledged them.
 *
 * They go out in batches, the next one when nothing of the one before is on its way: so what has to be sent again, after
 * the end of a connection say, goes out before everything that is newer.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #entries = new Set<Entry>();
  #order = 0;
  #sending: Promise<void> | undefined;
  #isClosed = false;
  #stopWaiting: () => void = () => {};
  readonly #waitingForEnd = new Set<() => void>();

  /** @param kept What the store has kept; it goes out with the first {@link resume}. */
  constructor(options: BacklogOptions, kept: ReadonlyMap<string, string>) {
    this.#options = options;
    const prefix = `${options.name}/`;
    const keys = [...kept.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) this.#add(key, decode(kept.get(key) ?? ""), Promise.resolve());
    this.#order = Number(keys.at(-1)?.slice(prefix.length) ?? 0);
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Keeps a message and sends it when its turn comes. The promise resolves with the broker's acknowledgement, and
   * rejects with `STORE_FAILED`, `MESSAGE_REFUSED` or `MESSAGE_LOST`, which need not be handled: they are told too.
   *
   * @throws {DeviceError} `BACKLOG_FULL`, `DEVICE_CLOSED`
   */
  push(message: OutgoingMessage): Promise<void> {
    const { name, capacity, store } = this.#options;
    if (this.#isClosed) throw new DeviceError("DEVICE_CLOSED", "the device is closed");
    if (this.#entries.size >= capacity) {
      const problem = `${capacity} messages wait for their acknowledgement, which is the limit`;
      throw new DeviceError("BACKLOG_FULL", `${problem}; one for ${message.topic} is not kept`);
    }
    const key = `${name}/${String(++this.#order).padStart(orderDigits, "0")}`;
    const { promise } = this.#add(key, message, store.set(key, encode(message)));
    this.resume();
    return promise;
  }

  /** Sends what there is, if it is not being done: to be called when a connection was made. */
  resume(): void {
    this.#stopWaiting();
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing is left, now or after the backlog was closed. */
  async emptied(): Promise<void> {
    if (this.#entries.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waitingForEnd.add(resolve);
    await promise;
  }

  /** Sends no more, and gives up what is left, in order. @param fate What becomes of it, for its error. */
  close(fate: string): readonly OutgoingMessage[] {
    this.#isClosed = true;
    this.#stopWaiting();
    const left = [...this.#entries];
    this.#entries.clear();
    this.#tellEnd();
    return left.map(({ message, reject }) => {
      reject(new DeviceError("MESSAGE_LOST", `a message on ${message.topic} was not acknowledged; ${fate}`));
      return message;
    });
  }

  #add(key: string, message: OutgoingMessage, stored: Promise<void>): Entry {
    const entry = { ...Promise.withResolvers<void>(), key, message, stored };
    entry.promise.catch(() => {}); // whoever does not wait for it must not end the process
    stored.catch(() => {}); // looked at when its turn comes
    this.#entries.add(entry);
    return entry;
  }

  async #send(): Promise<void> {
    const { isConnected, retryDelayMs } = this.#options;
    await Promise.resolve(); // so that what is pushed in one go is one batch
    while (!this.#isClosed && this.#entries.size > 0 && isConnected()) {
      const isDone = await Promise.all(this.#nextBatch().map((entry) => this.#deliver(entry)));
      if (isDone.includes(false)) await this.#wait(retryDelayMs);
    }
    this.#sending = undefined;
  }

  #nextBatch(): readonly Entry[] {
    const batch: Entry[] = [];
    for (const entry of this.#entries) {
      if (batch.length === batchSize) break; // of perhaps thousands
      batch.push(entry);
    }
    return batch;
  }

  /** Whether the message has come to its end. Never rejects. */
  async #deliver(entry: Entry): Promise<boolean> {
    const { send, onProblem } = this.#options;
    try {
      await entry.stored;
    } catch (error) {
      onProblem(error as DeviceError);
      return this.#end(entry, () => entry.reject(error));
    }
    const delivery = await send(entry.message);
    if (delivery === "again") return false;
    if (delivery === "acknowledged") return this.#end(entry, entry.resolve);
    const { message } = delivery;
    const error = new DeviceError("MESSAGE_REFUSED", `nothing on ${entry.message.topic}: ${message}`, {
      cause: delivery,
    });
    onProblem(error);
    return this.#end(entry, () => entry.reject(error));
  }

  #end(entry: Entry, settle: () => void): true {
    if (!this.#entries.delete(entry)) return true; // given up meanwhile
    settle();
    this.#options.store.delete(entry.key).catch(this.#options.onProblem);
    if (this.#entries.size === 0) this.#tellEnd();
    return true;
  }

  #tellEnd(): void {
    for (const resolve of this.#waitingForEnd) resolve();
    this.#waitingForEnd.clear();
  }

  async #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#stopWaiting = resolve;
    await promise;
    clearTimeout(timer);
  }
}

/**
 * On their way at a time. Two backlogs are together the 20 that Mosquitto takes of a connection: with more, the client
 * would send what waits before what it gave up.
 */
const batchSize = 10;

/** Digits of a number in a key, so that keys sort as numbers do. */
const orderDigits = 16;

function encode({ topic, payload, properties }: OutgoingMessage): string {
  const correlationData = properties?.correlationData?.toString("base64");
  return JSON.stringify({ topic, payload: payload.toString("base64"), properties: { ...properties, correlationData } });
}

function decode(text: string): OutgoingMessage {
  const { topic, payload, properties } = JSON.parse(text);
  const { correlationData, ...others } = properties;
  return {
    topic,
    payload: Buffer.from(payload, "base64"),
    properties: {
      ...others,
      ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, "base64") }),
    },
  };
}
