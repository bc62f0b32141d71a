import { randomUUID } from "node:crypto";
import type { QueueStore, QueueTable, StorageError, StoredMessage } from "./queue-store.ts";

/** Attributes of an SQS queue. */
export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly maximumMessageBytes: number;
  readonly redrive: { readonly to: Queue; readonly maxReceiveCount: number } | undefined;
}

export interface ReceivedMessage extends StoredMessage {
  readonly receiptHandle: string;
  /** Milliseconds since 1970. */
  readonly visibleAgainAt: number;
  /** One of the deliveries that a standard queue makes now and then although the message is another's already. */
  readonly isDuplicate: boolean;
}

/** What a test may bend: time, a limit, and the disorder that SQS allows itself. */
export interface QueueConditions {
  readonly now: () => number;
  /** Messages in flight at most; SQS's own limit for a standard queue by default. */
  readonly inFlightLimit?: number;
  /** `random` gives a number from 0 up to 1. Messages come in any order, and one in `duplicateEvery` comes twice. */
  readonly disorder?: { readonly random: () => number; readonly duplicateEvery: number };
}

/** Messages in memory at most, beside those in flight; the rest of a backlog is on disk only. */
const windowSize = 5_000;
/** SQS's limit of messages in flight for a standard queue. */
const inFlightLimit = 120_000;

/** How long to wait after the disk refused a write. */
const writeRetryMs = 1000;

/**
 * A standard SQS queue: at least once, in no promised order, a message invisible while it is in flight.
 *
 * Differs from SQS in one thing: a restart makes messages in flight visible at once, instead of at the end of their
 * visibility timeout.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
 */
export class Queue implements Disposable {
  readonly options: QueueOptions;
  readonly counts = { sent: 0, deleted: 0, expired: 0, redriven: 0 };
  readonly #table: QueueTable;
  readonly #conditions: QueueConditions;
  /** Visible and in memory. */
  #ready: StoredMessage[] = [];
  /** By receipt handle, in the order of receipt. */
  readonly #inFlight = new Map<string, ReceivedMessage>();
  /** Given back: in flight still, but on disk only. */
  #givenBack: number;
  #depth: number;
  #lastId: number;
  #receipts = 0;
  /** The last message that was in memory; where the backlog is spilled, there are more behind it. */
  #readUpTo = 0;
  #isSpilled: boolean;
  #wakeUp: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  #onVisible: (() => void) | undefined;
  #isAnnounced = false;

  constructor(options: QueueOptions, store: QueueStore, conditions: QueueConditions = { now: Date.now }) {
    this.options = options;
    this.#conditions = conditions;
    this.#table = store.table(options.name);
    this.#depth = this.#table.count();
    this.#givenBack = this.#table.countPutOff();
    this.#lastId = this.#table.lastId;
    this.#isSpilled = this.#depth > 0;
    this.#wakeUpAt(this.#table.nextDueAt());
  }

  /** Messages in the queue, visible or not. */
  get depth(): number {
    return this.#depth;
  }

  /** Calls back, once a turn, when there may be messages to receive. */
  whenVisible(callback: () => void): void {
    this.#onVisible = callback;
    this.#announce();
  }

  /**
   * Adds a message; resolves when it is on disk.
   *
   * @throws {StorageError} where the message cannot be written; another error where it is larger than the queue takes.
   */
  send(body: string): Promise<void> {
    const { maximumMessageBytes, name } = this.options;
    const bytes = Buffer.byteLength(body);
    if (bytes > maximumMessageBytes) {
      const limit = `InvalidParameterValue: ${name} takes messages of ${maximumMessageBytes} bytes, not ${bytes}`;
      return Promise.reject(new Error(limit));
    }
    const message = this.#next({ messageId: randomUUID(), body, sentAt: this.#conditions.now() });
    return new Promise((resolve, reject) => {
      this.#table.insert(message, (error) => {
        if (error !== undefined) return reject(error);
        this.#admit(message);
        resolve();
      });
    });
  }

  /** Up to `maximum` visible messages; they are in flight until they are deleted or their visibility timeout ends. */
  receive(maximum: number): ReceivedMessage[] {
    const received: ReceivedMessage[] = [];
    const limit = this.#conditions.inFlightLimit ?? inFlightLimit;
    while (received.length < maximum && this.#inFlight.size + this.#givenBack < limit) {
      const message = this.#takeReady();
      if (message === undefined) break;
      if (message.sentAt + this.options.retentionMs <= this.#conditions.now()) {
        this.counts.expired += 1;
        this.#remove(message);
      } else if (!this.#redrive(message)) {
        received.push(this.#putInFlight(message));
      }
    }
    return received;
  }

  /** Ends a message that was dealt with. */
  delete({ receiptHandle }: ReceivedMessage): void {
    const message = this.#inFlight.get(receiptHandle);
    this.#inFlight.delete(receiptHandle);
    if (message === undefined || message.isDuplicate) return;
    this.counts.deleted += 1;
    this.#remove(message);
  }

  /** Leaves a message that was not dealt with invisible until its timeout ends; it need not stay in memory for that. */
  giveBack({ receiptHandle }: ReceivedMessage): void {
    const message = this.#inFlight.get(receiptHandle);
    this.#inFlight.delete(receiptHandle);
    if (message === undefined || message.isDuplicate) return;
    this.#putOff(message, message.visibleAgainAt);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#wakeUp?.timer);
    this.#onVisible = undefined;
  }

  #next(message: Pick<StoredMessage, "messageId" | "body" | "sentAt">): StoredMessage {
    this.#lastId += 1;
    const { messageId, body, sentAt } = message;
    return { id: this.#lastId, messageId, body, sentAt, receiveCount: 0 };
  }

  /** A message that is on disk stays in memory too, unless memory is full or older ones wait on disk. */
  #admit(message: StoredMessage): void {
    this.counts.sent += 1;
    this.#depth += 1;
    this.#isSpilled ||= this.#ready.length >= windowSize;
    if (!this.#isSpilled) {
      this.#readUpTo = message.id;
      this.#ready.push(message);
    }
    this.#announce();
  }

  #takeReady(): StoredMessage | undefined {
    if (this.#ready.length === 0 && this.#isSpilled) {
      this.#ready = this.#table.readFresh(this.#readUpTo, windowSize);
      this.#readUpTo = this.#ready.at(-1)?.id ?? this.#readUpTo;
      this.#isSpilled = this.#ready.length === windowSize;
    }
    const { disorder } = this.#conditions;
    if (disorder === undefined) return this.#ready.shift();
    return this.#ready.splice(Math.floor(disorder.random() * this.#ready.length), 1)[0];
  }

  #putInFlight(message: StoredMessage): ReceivedMessage {
    const { disorder, now } = this.#conditions;
    const isDuplicate = disorder !== undefined && Math.floor(disorder.random() * disorder.duplicateEvery) === 0;
    if (isDuplicate) this.#ready.push(message);
    this.#receipts += 1;
    const received: ReceivedMessage = {
      ...message,
      receiveCount: message.receiveCount + 1,
      receiptHandle: `${message.messageId}:${this.#receipts}`,
      visibleAgainAt: now() + this.options.visibilityTimeoutMs,
      isDuplicate,
    };
    this.#inFlight.set(received.receiptHandle, received);
    this.#wakeUpAt(received.visibleAgainAt);
    return received;
  }

  /** Moves a message that was received too often, with its id and time. */
  #redrive(message: StoredMessage): boolean {
    const { redrive, visibilityTimeoutMs } = this.options;
    if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) return false;
    redrive.to.#takeFrom(this, message, (error) => {
      if (error !== undefined) this.#putOff(message, this.#conditions.now() + visibilityTimeoutMs);
    });
    return true;
  }

  #takeFrom(source: Queue, message: StoredMessage, done: (error?: StorageError) => void): void {
    const moved = this.#next(message);
    this.#table.moveIn(moved, source.#table, message.id, (error) => {
      if (error === undefined) {
        source.counts.redriven += 1;
        source.#depth -= 1;
        this.#admit(moved);
      }
      done(error);
    });
  }

  #putOff(message: StoredMessage, dueAt: number): void {
    this.#givenBack += 1;
    this.#table.putOff(message.id, dueAt, message.receiveCount, () => this.#wakeUpAt(dueAt));
  }

  #remove(message: StoredMessage): void {
    this.#depth -= 1;
    this.#table.remove(message.id);
  }

  #wakeUpAt(at: number | undefined): void {
    if (at === undefined || (this.#wakeUp !== undefined && this.#wakeUp.at <= at)) return;
    clearTimeout(this.#wakeUp?.timer);
    const timer = setTimeout(() => this.#takeVisibleAgain(), Math.max(0, at - this.#conditions.now()));
    this.#wakeUp = { at, timer: timer.unref() };
  }

  #takeVisibleAgain(): void {
    this.#wakeUp = undefined;
    const now = this.#conditions.now();
    for (const message of this.#inFlight.values()) {
      // All have the same timeout and stand in the order of receipt: the first that is not due ends it.
      if (message.visibleAgainAt > now) {
        this.#wakeUpAt(message.visibleAgainAt);
        break;
      }
      this.#inFlight.delete(message.receiptHandle);
      if (!message.isDuplicate) this.#ready.push(message);
    }
    this.#takeDue(now);
    this.#announce();
  }

  #takeDue(now: number): void {
    try {
      const due = this.#table.takeDue(now, windowSize);
      this.#givenBack -= due.length;
      this.#ready.push(...due);
      this.#wakeUpAt(this.#table.nextDueAt());
    } catch {
      // A full disk, most likely: the messages are where they were.
      this.#wakeUpAt(now + writeRetryMs);
    }
  }

  /** Many messages of one commit are one announcement, so that a batch is full before it is taken. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    queueMicrotask(() => {
      this.#isAnnounced = false;
      this.#onVisible?.();
    });
  }
}
