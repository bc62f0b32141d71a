import type { Clock, Timer } from "./clock.ts";

/** Times that come one after the other are one call, in steps of this: a hundred thousand would be as many reads. */
const stepMs = 50;

/** Calls back at the earliest of the times that it was given. */
export class WakeUp {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #next: { readonly at: number; readonly timer: Timer } | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** @param time Milliseconds since 1970; undefined or infinite for never. */
  setAt(time: number | undefined): void {
    if (time === undefined || time === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    // A clock that was set back must not make anybody wait.
    const at = Math.max(time, Math.min(this.#lastAt, now) + stepMs);
    if (this.#next !== undefined && this.#next.at <= at) return;
    this.clear();
    const timer = this.#clock.setTimer(() => this.#call(), Math.max(0, at - now));
    this.#next = { at, timer };
  }

  clear(): void {
    this.#next?.timer.clear();
    this.#next = undefined;
  }

  #call(): void {
    this.#next = undefined;
    this.#lastAt = this.#clock.now();
    this.#callback();
  }
}
