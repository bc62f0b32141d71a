import { randomUUID } from "node:crypto";
import type { Clock, Timer } from "./clock.ts";
import type { FunctionOptions, InvocationError } from "./execution-environment.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";
import type { ReservedConcurrency } from "./reserved-concurrency.ts";

export interface AsynchronousEventOptions {
  /** How long an event may wait and be retried, in milliseconds. */
  readonly maximumAgeMs: number;
  /** Further attempts after a failed one. */
  readonly retryAttempts: number;
  /** Environments at most. */
  readonly concurrency: number;
  readonly reserved?: ReservedConcurrency | undefined;
  readonly clock: Clock;
}

/** Lambda waits one minute before the first retry and two before the second. */
export const retryDelaysMs = [60_000, 120_000];

/** Events that wait at most: they are in memory only. Lambda has no such limit, only the age. */
const maxWaiting = 20_000;

/** What is known of an event that is handed over. */
export interface EventOrigin {
  /** What the function knows each attempt by; one of the event's own by default. */
  readonly requestId?: string | undefined;
  /** The ledger's, for an event that is a message. On disk it is the queue's. */
  readonly account?: string | undefined;
  /** For the report of an error action: the account in which the message is dead by it. */
  readonly deadOf?: string | undefined;
}

/** Who takes a function's asynchronous events: memory, or a queue on disk. */
export interface EventTarget {
  /**
   * @param json The event.
   * @returns A promise where the event is on disk only when that resolves; it rejects with a {@link StorageError}.
   * @throws {TooManyEvents} the rule's error action is told.
   */
  accept(json: string, origin?: EventOrigin): Promise<unknown> | undefined;
}

interface Event {
  readonly json: string;
  readonly requestId: string;
  /** The ledger's, undefined for an event that is no message. */
  readonly account: string | undefined;
  readonly acceptedAt: number;
  readonly attempt: number;
}

/** What happened to an account's messages since the start, and what waits or runs. */
export interface EventAmounts {
  received: number;
  delivered: number;
  dropped: number;
  pending: number;
}

/** More events wait than memory should hold: Lambda's own wording for a function that is asked too often. */
export class TooManyEvents extends Error {
  override readonly name = "TooManyEvents";

  constructor() {
    super(`TooManyRequestsException: ${maxWaiting} events wait for the function`);
  }
}

/**
 * Invokes a function with events that nobody waits for. Events are kept in memory: a restart loses them, as QoS 0
 * allows. Those of a function with an on-failure destination are [durable](./durable-events.ts).
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export class AsynchronousEvents implements EventTarget, WorkSource, AsyncDisposable {
  readonly counts = { accepted: 0, succeeded: 0, failed: 0, expired: 0, overflowed: 0 };
  readonly #options: AsynchronousEventOptions;
  readonly #pool: FunctionPool;
  readonly #waiting: Event[] = [];
  readonly #running = new Set<Event>();
  readonly #retries = new Map<Timer, Event>();
  readonly #ended = new Map<string, Omit<EventAmounts, "pending">>();
  #isStopped = false;

  constructor(functionOptions: FunctionOptions, options: AsynchronousEventOptions) {
    this.#options = options;
    this.#pool = new FunctionPool(functionOptions, options.concurrency, this, options.reserved);
  }

  accept(json: string, { requestId = randomUUID(), account }: EventOrigin = {}): undefined {
    if (this.#waiting.length >= maxWaiting) {
      this.counts.overflowed += 1;
      throw new TooManyEvents();
    }
    this.counts.accepted += 1;
    this.#count(account, "received");
    this.#waiting.push({ json, requestId, account, acceptedAt: this.#options.clock.now(), attempt: 1 });
    this.#pool.wake();
  }

  /** By account. What is pending is counted from what waits, runs, and waits for its retry. */
  get amounts(): ReadonlyMap<string, EventAmounts> {
    const amounts = new Map([...this.#ended].map(([account, ended]) => [account, { ...ended, pending: 0 }]));
    for (const events of [this.#waiting, this.#running, this.#retries.values()]) {
      for (const { account } of events) {
        const sum = account === undefined ? undefined : amounts.get(account);
        if (sum !== undefined) sum.pending += 1;
      }
    }
    return amounts;
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  started(): Promise<void> {
    return this.#pool.started();
  }

  take(): Work | undefined {
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      if (this.#options.clock.now() - event.acceptedAt > this.#options.maximumAgeMs) {
        this.counts.expired += 1;
        this.#count(event.account, "dropped");
        continue;
      }
      const taken = event;
      this.#running.add(taken);
      const { json, requestId } = taken;
      return { event: json, requestId, settle: (error) => this.#settle(taken, error) };
    }
    return undefined;
  }

  /** Begins no invocation any more and resolves when those that run have ended. Events that wait have failed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#retries.keys()) timer.clear();
    for (const event of [...this.#waiting.splice(0), ...this.#retries.values()]) this.#drop(event);
    this.#retries.clear();
    await this.#pool.whenIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #next(): Event | undefined {
    return this.#isStopped ? undefined : this.#waiting.shift();
  }

  #drop({ account }: Event): void {
    this.counts.failed += 1;
    this.#count(account, "dropped");
  }

  #count(account: string | undefined, what: "received" | "delivered" | "dropped"): void {
    if (account === undefined) return;
    const ended = this.#ended.get(account) ?? { received: 0, delivered: 0, dropped: 0 };
    ended[what] += 1;
    this.#ended.set(account, ended);
  }

  #settle(event: Event, error: InvocationError | undefined): void {
    this.#running.delete(event);
    if (error === undefined) {
      this.counts.succeeded += 1;
      this.#count(event.account, "delivered");
    } else if (event.attempt > this.#options.retryAttempts || this.#isStopped) {
      this.#drop(event);
    } else {
      this.#retryLater(event);
    }
  }

  #retryLater(event: Event): void {
    const retry = () => {
      this.#retries.delete(timer);
      this.#waiting.push({ ...event, attempt: event.attempt + 1 });
      this.#pool.wake();
    };
    const timer = this.#options.clock.setTimer(retry, retryDelaysMs[event.attempt - 1] ?? 0);
    this.#retries.set(timer, event);
  }
}
