import type { FunctionOptions, InvocationError } from "./execution-environment.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";
import type { ReceivedMessage } from "./in-flight-messages.ts";
import type { LedgerAnswer } from "./ledger-answer.ts";
import { systemAttributes } from "./message-attributes.ts";
import type { Queue } from "./queue.ts";
import type { ReservedConcurrency } from "./reserved-concurrency.ts";

export interface EventSourceMappingOptions {
  /** A mapping that is not enabled receives nothing. */
  readonly isEnabled: boolean;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  /** Whether the function says which messages failed; otherwise its answer settles the whole batch. */
  readonly reportsBatchItemFailures: boolean;
  readonly region: string;
  /** Tells the ledger what an answer says of the messages in a batch. */
  readonly tell: LedgerAnswer;
  readonly reserved?: ReservedConcurrency | undefined;
}

/**
 * Feeds a queue's messages to a function in batches. A message that failed stays in the queue and becomes visible at
 * the end of its visibility timeout.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export class EventSourceMapping implements WorkSource, AsyncDisposable {
  readonly counts = { invocations: 0, failedInvocations: 0, failedMessages: 0 };
  readonly #queue: Queue;
  readonly #options: EventSourceMappingOptions;
  readonly #pool: FunctionPool;
  #isEnabled: boolean;
  #isStopped = false;
  #running = 0;

  constructor(queue: Queue, functionOptions: FunctionOptions, options: EventSourceMappingOptions) {
    this.#queue = queue;
    this.#options = options;
    this.#isEnabled = options.isEnabled;
    this.#pool = new FunctionPool(functionOptions, options.maximumConcurrency, this, options.reserved);
    queue.whenVisible(() => this.#pool.wake());
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  started(): Promise<void> {
    return this.#pool.started();
  }

  /** The ledger's, of the queue's messages; undefined for a queue that is none's. */
  get account(): string | undefined {
    return this.#queue.account;
  }

  /** Whether invocations run, as they may for a while after the mapping was disabled. */
  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** Begins to receive, or receives nothing more; invocations that run come to their end and are settled. */
  setEnabled(isEnabled: boolean): void {
    this.#isEnabled = isEnabled;
    if (isEnabled) this.#pool.wake();
  }

  setMaximumConcurrency(maximumConcurrency: number): void {
    this.#pool.setLimit(maximumConcurrency);
  }

  take(): Work | undefined {
    const messages = this.#isStopped || !this.#isEnabled ? [] : this.#queue.receive(this.#options.batchSize);
    if (messages.length === 0) return undefined;
    this.counts.invocations += 1;
    this.#running += 1;
    return { event: this.#eventOf(messages), settle: (error, answer) => this.#settle(messages, error, answer) };
  }

  /** Begins no invocation any more and resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#pool.whenIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#pool[Symbol.asyncDispose]();
  }

  #eventOf(messages: readonly ReceivedMessage[]): string {
    const { arn } = this.#queue.options;
    const Records = messages.map((message) => ({
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: systemAttributes(message),
      messageAttributes: {},
      eventSource: "aws:sqs",
      eventSourceARN: arn,
      awsRegion: this.#options.region,
    }));
    return JSON.stringify({ Records });
  }

  #settle(messages: readonly ReceivedMessage[], error: InvocationError | undefined, answer: string): void {
    this.#running -= 1;
    if (error !== undefined) this.counts.failedInvocations += 1;
    const outcome = error === undefined ? this.#read(answer) : undefined;
    for (const message of messages) {
      if (outcome !== undefined && !outcome.failed.has(message.messageId)) {
        this.#queue.delete(message, outcome.dead.has(message.messageId) ? "dead" : "delivered");
      } else {
        this.counts.failedMessages += 1;
        this.#queue.giveBack(message);
      }
    }
    // Staged right after a message's deletion, which may write what was staged before it.
    if (outcome !== undefined) this.#options.tell(outcome.answer);
  }

  /** Which messages failed and which the function gave up, or undefined where all failed. */
  #read(json: string): Outcome | undefined {
    const answer = (JSON.parse(json) ?? {}) as { readonly batchItemFailures?: unknown; readonly dead?: unknown };
    const failed = this.#options.reportsBatchItemFailures ? failuresIn(answer) : new Set<string>();
    return failed && { failed, dead: deadIn(answer), answer };
  }
}

interface Outcome {
  readonly failed: ReadonlySet<string>;
  readonly dead: ReadonlySet<string>;
  readonly answer: unknown;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, "Success and failure conditions" */
function failuresIn(answer: { readonly batchItemFailures?: unknown }): ReadonlySet<string> | undefined {
  if (typeof answer !== "object") return undefined;
  const failures = answer.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return undefined;
  const ids = failures.map((failure) => (failure as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier);
  const isUsable = ids.every((id) => typeof id === "string" && id !== "");
  return isUsable ? new Set(ids as string[]) : undefined;
}

/**
 * Messages that the function has recorded as dead letters: they end as delivered ones do, and the ledger says which.
 * Ours alone: Lambda ignores whatever stands beside `batchItemFailures`.
 */
function deadIn({ dead }: { readonly dead?: unknown }): ReadonlySet<string> {
  return new Set(Array.isArray(dead) ? dead.filter((id) => typeof id === "string") : []);
}
