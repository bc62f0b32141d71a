import type { FunctionOptions, InvocationError } from "./execution-environment.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";
import { promptGrowth } from "./pool-growth.ts";
import type { ReservedConcurrency } from "./reserved-concurrency.ts";

export interface SynchronousOptions {
  /** Environments at most. */
  readonly concurrency: number;
  readonly reserved?: ReservedConcurrency | undefined;
  /** How long an invocation waits while all environments that there may be are busy; 1,000 ms by default. */
  readonly patienceMs?: number;
}

/** What an invocation came to that somebody waits for. */
export type Outcome =
  | { readonly kind: "answered"; readonly json: string }
  | { readonly kind: "failed"; readonly error: InvocationError }
  /** The function runs on; nobody waits for it any more. */
  | { readonly kind: "timed-out" }
  /** The function was not invoked. */
  | { readonly kind: "throttled" };

/**
 * Lambda refuses at once what is more than a function may run at one time. Here threads are fewer and a burst of quick
 * invocations is soon over: each waits for this long first.
 */
const defaultPatienceMs = 1_000;

/** Invocations that wait at most: an account's concurrency, beyond which Lambda refuses. */
const maxWaiting = 1_000;

/** Nobody waits longer for threads that do not start. */
const maxPatienceMs = 30_000;

/** Those that run when the engine stops may wait for a device; whoever asked has most of their time still to come. */
const stopMs = 3_000;

interface Invocation {
  readonly event: string;
  readonly timeoutMs: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Invokes a function for callers who wait for its answer. */
export class SynchronousInvocations implements WorkSource, AsyncDisposable {
  readonly counts = { invoked: 0, throttled: 0 };
  readonly #pool: FunctionPool;
  readonly #patienceMs: number;
  readonly #waiting = new Map<Invocation, NodeJS.Timeout>();
  #isStopped = false;

  constructor(functionOptions: FunctionOptions, { concurrency, reserved, patienceMs }: SynchronousOptions) {
    const options = { ...functionOptions, isHandedOverAhead: false };
    this.#patienceMs = patienceMs ?? defaultPatienceMs;
    this.#pool = new FunctionPool(options, concurrency, this, reserved, promptGrowth);
  }

  /**
   * @param timeoutMs Milliseconds for the function, from the moment that it begins: what it waits for a thread before is
   *   this machine's doing.
   */
  invoke(event: string, timeoutMs: number): Promise<Outcome> {
    return new Promise((settle) => {
      const invocation = { event, timeoutMs, settle };
      if (this.#isStopped || this.#waiting.size >= maxWaiting) {
        this.#throttle(invocation);
        return;
      }
      const begin = performance.now();
      const timer = setInterval(() => {
        if (this.#pool.isFull || performance.now() - begin > maxPatienceMs) this.#throttle(invocation);
      }, this.#patienceMs).unref();
      this.#waiting.set(invocation, timer);
      this.#pool.wake();
    });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  started(): Promise<void> {
    return this.#pool.started();
  }

  take(): Work | undefined {
    const [invocation] = this.#waiting.keys();
    if (invocation === undefined) return undefined;
    this.#leave(invocation);
    this.counts.invoked += 1;
    const { event, settle, timeoutMs } = invocation;
    const limit = setTimeout(() => settle({ kind: "timed-out" }), timeoutMs).unref();
    return {
      event,
      settle: (error, json) => {
        clearTimeout(limit);
        settle(error === undefined ? { kind: "answered", json } : { kind: "failed", error });
      },
    };
  }

  /** Begins no invocation any more and gives those that run a moment to end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const invocation of [...this.#waiting.keys()]) this.#throttle(invocation);
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(resolve, stopMs);
    await Promise.race([this.#pool.whenIdle(), promise]);
    clearTimeout(limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    for (const invocation of [...this.#waiting.keys()]) this.#throttle(invocation);
    await this.#pool[Symbol.asyncDispose]();
  }

  #throttle(invocation: Invocation): void {
    this.#leave(invocation);
    this.counts.throttled += 1;
    invocation.settle({ kind: "throttled" });
  }

  #leave(invocation: Invocation): void {
    clearInterval(this.#waiting.get(invocation));
    this.#waiting.delete(invocation);
  }
}
