import type { FunctionOptions, InvocationError } from "./execution-environment.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";
import type { Queue, ReceivedMessage } from "./queue.ts";

export interface EventSourceMappingOptions {
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  /** Whether the function says which messages failed; otherwise its answer settles the whole batch. */
  readonly reportsBatchItemFailures: boolean;
  readonly region: string;
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
  #isStopped = false;

  constructor(queue: Queue, functionOptions: FunctionOptions, options: EventSourceMappingOptions) {
    this.#queue = queue;
    this.#options = options;
    this.#pool = new FunctionPool(functionOptions, options.maximumConcurrency, this);
    queue.whenVisible(() => this.#pool.wake());
  }

  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  started(): Promise<void> {
    return this.#pool.started();
  }

  take(): Work | undefined {
    const messages = this.#isStopped ? [] : this.#queue.receive(this.#options.batchSize);
    if (messages.length === 0) return undefined;
    this.counts.invocations += 1;
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
    const receivedAt = Date.now();
    const Records = messages.map(({ messageId, receiptHandle, body, receiveCount, sentAt }) => ({
      messageId,
      receiptHandle,
      body,
      attributes: {
        ApproximateReceiveCount: String(receiveCount),
        SentTimestamp: String(sentAt),
        SenderId: "iot.amazonaws.com",
        ApproximateFirstReceiveTimestamp: String(receivedAt),
      },
      messageAttributes: {},
      eventSource: "aws:sqs",
      eventSourceARN: arn,
      awsRegion: this.#options.region,
    }));
    return JSON.stringify({ Records });
  }

  #settle(messages: readonly ReceivedMessage[], error: InvocationError | undefined, answer: string): void {
    if (error !== undefined) this.counts.failedInvocations += 1;
    const failed = error === undefined ? this.#failuresIn(answer) : undefined;
    for (const message of messages) {
      if (failed !== undefined && !failed.has(message.messageId)) {
        this.#queue.delete(message);
      } else {
        this.counts.failedMessages += 1;
        this.#queue.giveBack(message);
      }
    }
  }

  /**
   * The ids of the messages that failed, or undefined where all did.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, "Success and failure conditions"
   */
  #failuresIn(json: string): ReadonlySet<string> | undefined {
    if (!this.#options.reportsBatchItemFailures) return new Set();
    const answer = (JSON.parse(json) ?? {}) as { readonly batchItemFailures?: unknown };
    if (typeof answer !== "object") return undefined;
    const failures = answer.batchItemFailures ?? [];
    if (!Array.isArray(failures)) return undefined;
    const ids = failures.map((failure) => (failure as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier);
    const isUsable = ids.every((id) => typeof id === "string" && id !== "");
    return isUsable ? new Set(ids as string[]) : undefined;
  }
}
