import type { FunctionOptions, InvocationError } from "./execution-environment.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";

export interface AsynchronousEventOptions {
  /** How long an event may wait and be retried, in milliseconds. */
  readonly maximumAgeMs: number;
  /** Further attempts after a failed one. */
  readonly retryAttempts: number;
  /** Environments at most. */
  readonly concurrency: number;
}

/** Lambda waits one minute before the first retry and two before the second. */
const retryDelaysMs = [60_000, 120_000];

/** Events that wait at most: they are in memory only. Lambda has no such limit, only the age. */
const maxWaiting = 20_000;

interface Event {
  readonly json: string;
  readonly acceptedAt: number;
  readonly attempt: number;
}

/**
 * Invokes a function with events that nobody waits for. Events are kept in memory: a restart loses them, as QoS 0
 * allows; what must not be lost goes through a queue.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export class AsynchronousEvents implements WorkSource, AsyncDisposable {
  readonly counts = { accepted: 0, succeeded: 0, failed: 0, expired: 0, overflowed: 0 };
  readonly #options: AsynchronousEventOptions;
  readonly #pool: FunctionPool;
  readonly #waiting: Event[] = [];
  readonly #retries = new Set<NodeJS.Timeout>();
  #isStopped = false;

  constructor(functionOptions: FunctionOptions, options: AsynchronousEventOptions) {
    this.#options = options;
    this.#pool = new FunctionPool(functionOptions, options.concurrency, this);
  }

  /** @throws when more events wait than memory should hold; the rule's error action is told. */
  accept(json: string): void {
    if (this.#waiting.length >= maxWaiting) {
      this.counts.overflowed += 1;
      throw new Error(`TooManyRequestsException: ${maxWaiting} events wait for the function`);
    }
    this.counts.accepted += 1;
    this.#waiting.push({ json, acceptedAt: Date.now(), attempt: 1 });
    this.#pool.wake();
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  started(): Promise<void> {
    return this.#pool.started();
  }

  take(): Work | undefined {
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      if (Date.now() - event.acceptedAt > this.#options.maximumAgeMs) {
        this.counts.expired += 1;
        continue;
      }
      const taken = event;
      return { event: taken.json, settle: (error) => this.#settle(taken, error) };
    }
    return undefined;
  }

  /** Begins no invocation any more and resolves when those that run have ended. Events that wait have failed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#retries) clearTimeout(timer);
    this.counts.failed += this.#waiting.splice(0).length + this.#retries.size;
    this.#retries.clear();
    await this.#pool.whenIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #next(): Event | undefined {
    return this.#isStopped ? undefined : this.#waiting.shift();
  }

  #settle(event: Event, error: InvocationError | undefined): void {
    if (error === undefined) {
      this.counts.succeeded += 1;
    } else if (event.attempt > this.#options.retryAttempts || this.#isStopped) {
      this.counts.failed += 1;
    } else {
      const timer = setTimeout(
        () => {
          this.#retries.delete(timer);
          this.#waiting.push({ ...event, attempt: event.attempt + 1 });
          this.#pool.wake();
        },
        retryDelaysMs[event.attempt - 1],
      );
      this.#retries.add(timer.unref());
    }
  }
}
