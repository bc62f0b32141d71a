const secondMs = 1_000;

/** Counts what happened in the last second: of any second's requests, a limit's number passes. */
export class SlidingSecond {
  readonly #times: number[] = [];
  #first = 0;

  /** Whether one more passes now, and counts it if so. */
  take(limit: number, now: number): boolean {
    if (limit === Number.POSITIVE_INFINITY) return true;
    while (this.#first < this.#times.length && (this.#times[this.#first] ?? 0) <= now - secondMs) this.#first++;
    if (this.#first > 1_000) {
      this.#times.splice(0, this.#first);
      this.#first = 0;
    }
    if (this.#times.length - this.#first >= limit) return false;
    this.#times.push(now);
    return true;
  }

  /** Milliseconds until one more may pass, where none does now. */
  waitMs(now: number): number {
    return Math.max(1, (this.#times[this.#first] ?? now) + secondMs - now);
  }
}

/** Delays what exceeds a rate of bytes; one second's worth may come at once. */
export class Throughput {
  #paidUntil = Number.NEGATIVE_INFINITY;

  /** Milliseconds to wait before more is taken. */
  spend(bytes: number, perSecond: number, now: number): number {
    if (perSecond === Number.POSITIVE_INFINITY) return 0;
    this.#paidUntil = Math.max(this.#paidUntil, now - secondMs) + (bytes / perSecond) * secondMs;
    return Math.max(0, this.#paidUntil - now);
  }
}
