import { setTimeout } from "node:timers/promises";

/** Nothing has happened for too long. */
export class StalledError extends Error {
  override readonly name = "StalledError";
}

/**
 * What waits in a run, wait for: conditions that are looked at whenever something has happened. Where nothing happens
 * any more, or a part has failed, every wait ends with the reason.
 */
export class Progress implements Disposable {
  readonly #waiting = new Set<{ readonly isMet: () => boolean; readonly resolve: () => void }>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #watch: NodeJS.Timeout;
  #hasAdvanced = true;
  #quietSeconds = 0;

  constructor(stallSeconds: number) {
    // Nobody may be waiting when it fails.
    this.#failed.promise.catch(() => {});
    // Counts seconds that this process has seen: a machine that stood still is no stall.
    this.#watch = setInterval(() => {
      this.#quietSeconds = this.#hasAdvanced ? 0 : this.#quietSeconds + 1;
      this.#hasAdvanced = false;
      if (this.#quietSeconds >= stallSeconds) this.fail(new StalledError(`nothing happened for ${stallSeconds} s`));
      else this.#look();
    }, 1000);
  }

  /** Whole seconds in which nothing has happened. */
  get quietSeconds(): number {
    return this.#quietSeconds;
  }

  /** Something has happened that a condition may depend on. */
  advance(): void {
    this.#hasAdvanced = true;
    this.#look();
  }

  /** Ends every wait, now and later. */
  fail(reason: Error): void {
    this.#failed.reject(reason);
  }

  /** Resolves in the same turn of the event loop in which the condition is met: nothing comes in between. */
  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ isMet, resolve });
    await Promise.race([promise, this.#failed.promise]);
  }

  /** What is to last for a time, such as an outage. */
  async pass(seconds: number): Promise<void> {
    await Promise.race([setTimeout(seconds * 1000), this.#failed.promise]);
    this.advance();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
  }

  #look(): void {
    for (const wait of this.#waiting) {
      if (!wait.isMet()) continue;
      this.#waiting.delete(wait);
      wait.resolve();
    }
  }
}
