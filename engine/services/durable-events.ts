import {
  type AsynchronousEventOptions,
  type EventOrigin,
  type EventTarget,
  retryDelaysMs,
} from "./asynchronous-events.ts";
import { destinationRecord, type FailedEvent } from "./destination-record.ts";
import type { FunctionOptions, InvocationError } from "./execution-environment.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";
import type { ReceivedMessage } from "./in-flight-messages.ts";
import type { LedgerAnswer } from "./ledger-answer.ts";
import type { Queue } from "./queue.ts";

export interface DurableEventOptions extends AsynchronousEventOptions {
  /** Where a record of each event goes that came to nothing. */
  readonly onFailure: Queue;
  /** Tells the ledger what an answer says of the messages in an event. */
  readonly tell: LedgerAnswer;
}

/** Events too old that are given up in one turn: they are in memory until they are written. */
const agedAtOnce = 100;

/**
 * Invokes a function that has an on-failure destination with events that nobody waits for. They are on disk before they
 * are accepted, and outlive a crash. One that fails is tried again as on Lambda, and becomes at last a record in the
 * destination, in one transaction.
 *
 * Differs from Lambda in one thing: an attempt that a crash or the engine's end cut short does not count.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export class DurableEvents implements EventTarget, WorkSource, AsyncDisposable {
  /** Attempts that failed. */
  readonly counts = { failed: 0 };
  readonly #queue: Queue;
  readonly #functionArn: string;
  readonly #options: DurableEventOptions;
  readonly #pool: FunctionPool;
  #isStopped = false;
  #isDisposed = false;

  /** @param queue The function's events: nobody else's, and without limits of its own. */
  constructor(queue: Queue, functionOptions: FunctionOptions, options: DurableEventOptions) {
    this.#queue = queue;
    this.#functionArn = functionOptions.arn;
    this.#options = options;
    this.#pool = new FunctionPool(functionOptions, options.concurrency, this, options.reserved);
    queue.whenVisible(() => this.#pool.wake());
  }

  /** The ledger's, of the events; undefined for those that are no messages. */
  get account(): string | undefined {
    return this.#queue.account;
  }

  accept(json: string, { requestId, deadOf }: EventOrigin = {}): Promise<string> {
    return this.#queue.send(json, { messageId: requestId, deadOf });
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  started(): Promise<void> {
    return this.#pool.started();
  }

  take(): Work | undefined {
    for (let aged = 0; aged < agedAtOnce; aged++) {
      const [event] = this.#isStopped ? [] : this.#queue.receive(1);
      if (event === undefined) return undefined;
      if (this.#options.clock.now() - event.sentAt <= this.#options.maximumAgeMs) {
        const settle: Work["settle"] = (error, answer) => this.#settle(event, error, answer);
        return { event: event.body, requestId: event.messageId, settle };
      }
      this.#giveUp(event, { condition: "EventAgeExceeded", invokeCount: event.receiveCount - 1 });
    }
    // After they are written.
    setImmediate(() => this.#pool.wake());
    return undefined;
  }

  /** Begins no invocation any more and resolves when those that run have ended. Events that wait are on disk. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#pool.whenIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#isDisposed = true;
    await this.#pool[Symbol.asyncDispose]();
  }

  #settle(event: ReceivedMessage, error: InvocationError | undefined, answer: string): void {
    if (error === undefined) {
      this.#queue.delete(event);
      this.#options.tell(JSON.parse(answer));
      return;
    }
    // It is on disk as it was before the attempt.
    if (this.#isDisposed) return;
    this.counts.failed += 1;
    const { receiveCount } = event;
    if (receiveCount > this.#options.retryAttempts) {
      this.#giveUp(event, { condition: "RetriesExhausted", invokeCount: receiveCount, error });
    } else {
      this.#queue.giveBack(event, this.#options.clock.now() + (retryDelaysMs[receiveCount - 1] ?? 0));
    }
  }

  #giveUp(event: ReceivedMessage, failure: Pick<FailedEvent, "condition" | "invokeCount" | "error">): void {
    const { messageId: requestId, body: payload } = event;
    const timestampMs = this.#options.clock.now();
    const record = destinationRecord({ ...failure, requestId, functionArn: this.#functionArn, timestampMs, payload });
    this.#queue.replace(event, this.#options.onFailure, record);
  }
}
