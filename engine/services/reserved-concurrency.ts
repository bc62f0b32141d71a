/** A pool of environments as far as it shares a function's concurrency. */
export interface ConcurrencyUser {
  /** Takes up what waits, if there is room. */
  wake(): void;
}

/**
 * The invocations that a function reserves, where several sources invoke it: at no time more of them run, whichever
 * source they are from. A function with one source needs nothing of this, its pool's own limit says the same.
 */
export class ReservedConcurrency {
  readonly limit: number;
  /** The one that has waited longest for its turn is the first. */
  readonly #users = new Set<ConcurrencyUser>();
  #running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  join(user: ConcurrencyUser): void {
    this.#users.add(user);
  }

  /** Whether other invocations would have to end before another one may begin. */
  get isUsedUp(): boolean {
    return this.#users.size > 1 && this.#running >= this.limit;
  }

  /** Whether an invocation may begin; whoever was let in says `cancel` or `leave`. */
  enter(): boolean {
    if (this.isUsedUp) return false;
    this.#running += 1;
    return true;
  }

  /** There was nothing to invoke. */
  cancel(): void {
    this.#running -= 1;
  }

  /** An invocation has ended: it is the others' turn first, so that no backlog keeps them out. */
  leave(user: ConcurrencyUser): void {
    this.#running -= 1;
    // Behind the others, and never away: how many there are says whether the limit is anybody's.
    this.#users.delete(user);
    this.#users.add(user);
    for (const other of [...this.#users]) if (other !== user) other.wake();
  }
}
