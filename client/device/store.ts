import { DeviceError } from "./device-error.ts";

/**
 * Where a device keeps what has to outlive its process: messages that are not acknowledged, answers that it gave, the
 * newest version that it saw. One store belongs to one device. Calls come one after the other.
 *
 * `openFileStore` keeps them in a folder; any other place for keys and values will do.
 */
export interface DeviceStore {
  /** Everything that is kept, in any order. */
  load(): Promise<Iterable<readonly [key: string, value: string]>>;
  /** Resolves when the value is kept. */
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Keeps nothing beyond the process: what the device holds in memory is all there is. */
export const noStore: DeviceStore = {
  load: async () => [],
  set: async () => {},
  delete: async () => {},
};

/** A store whose calls are made in order, one at a time, and whose failures say what they are. */
export class OrderedStore implements DeviceStore {
  readonly #store: DeviceStore;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: DeviceStore) {
    this.#store = store;
  }

  load(): Promise<Iterable<readonly [string, string]>> {
    return this.#next("load", () => this.#store.load());
  }

  set(key: string, value: string): Promise<void> {
    return this.#next(`keep ${key}`, () => this.#store.set(key, value));
  }

  delete(key: string): Promise<void> {
    return this.#next(`forget ${key}`, () => this.#store.delete(key));
  }

  /** Resolves when everything that was asked for is done, or has failed. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #next<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(call).catch((cause: Error) => {
      throw new DeviceError("STORE_FAILED", `the store could not ${what}: ${cause.message}`, { cause });
    });
    this.#last = result.catch(() => {});
    return result;
  }
}
