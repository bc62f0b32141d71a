import { randomUUID } from "node:crypto";
import { Announcement } from "./announcement.ts";
import { type Clock, systemClock } from "./clock.ts";
import { InFlightMessages, type ReceivedMessage } from "./in-flight-messages.ts";
import type { LedgerEntry } from "./ledger.ts";
import { PutOffMessages } from "./put-off-messages.ts";
import { type MessageEnd, makeQueueEntries, type QueueEntries } from "./queue-entries.ts";
import type { QueueStore } from "./queue-store.ts";
import type { QueueTable, StoredMessage } from "./queue-table.ts";
import { VisibleMessages } from "./visible-messages.ts";
import { WakeUp } from "./wake-up.ts";

/** Attributes of an SQS queue. */
export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly maximumMessageBytes: number;
  readonly redrive: { readonly to: Queue; readonly maxReceiveCount: number } | undefined;
  /** The ledger's account that the messages belong to; by default the one that they belonged to before, if any. */
  readonly account?: string | undefined;
}

export interface SendOptions {
  /** A UUID of its own by default. */
  readonly messageId?: string | undefined;
  /** How long nobody receives it, in milliseconds. */
  readonly delayMs?: number;
  /** Who sends: a topic rule by default. */
  readonly origin?: "rule" | "api";
  /** Where the queue is no account's: the account in which the message is dead by being here. */
  readonly deadOf?: string | undefined;
}

/** Numbers of messages, as SQS's `GetQueueAttributes` has them. */
export interface QueueNumbers {
  readonly visible: number;
  /** Received, and not deleted yet or visible again. */
  readonly inFlight: number;
  /** Sent with a delay that has not passed. */
  readonly delayed: number;
  /** When the message that is here for the longest time was sent, in milliseconds since 1970. */
  readonly oldestSentAt?: number;
}

/** What may be otherwise than SQS has it, in a test say: time, limits, and the disorder that SQS allows itself. */
export interface QueueConditions extends Partial<Clock> {
  /** Messages in flight at most; SQS's own limit for a standard queue by default. */
  readonly inFlightLimit?: number;
  /** Messages in memory at most, beside those in flight. */
  readonly windowSize?: number;
  /** `random` gives a number from 0 up to 1. Messages come in any order, and one in `duplicateEvery` comes twice. */
  readonly disorder?: { readonly random: () => number; readonly duplicateEvery: number };
}

/** SQS's limit of messages in flight for a standard queue. */
const inFlightLimit = 120_000;
/** SQS's limit of the time that a message is invisible after it was received. */
const longestVisibilityMs = 12 * 3_600_000;
/** How long a message waits that could not be moved to another queue, and is received once more instead. */
const redriveRetryMs = 10_000;

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
  /** The ledger's account that the messages belong to, undefined for one of its own. */
  readonly account: string | undefined;
  readonly counts = { sent: 0, deleted: 0, dead: 0, expired: 0, redriven: 0 };
  readonly #table: QueueTable;
  readonly #conditions: QueueConditions & Clock;
  readonly #entries: QueueEntries;
  readonly #visible: VisibleMessages;
  readonly #inFlight: InFlightMessages;
  readonly #putOff: PutOffMessages;
  readonly #wakeUp: WakeUp;
  readonly #announcement = new Announcement();
  #depth: number;
  #lastId: number;

  constructor(options: QueueOptions, store: QueueStore, conditions: QueueConditions = {}) {
    this.options = options;
    this.#conditions = { ...systemClock, ...conditions };
    this.#wakeUp = new WakeUp(this.#conditions, () => this.#takeVisibleAgain());
    this.#table = store.table(options.name);
    this.account = store.account(options.name, options.account);
    this.#entries = makeQueueEntries(this.account);
    const { now, disorder, windowSize } = this.#conditions;
    this.#inFlight = new InFlightMessages(this.#wakeUp, now);
    this.#putOff = new PutOffMessages(this.#table, this.#wakeUp, now);
    this.#visible = new VisibleMessages(this.#table, this.#putOff, disorder?.random, windowSize);
    this.#depth = this.#table.count();
    this.#lastId = this.#table.lastId;
  }

  /** Messages in the queue, visible or not. */
  get depth(): number {
    return this.#depth;
  }

  get attributes(): QueueNumbers {
    const inFlight = this.#numberInFlight;
    const { delayed } = this.#putOff;
    const oldestSentAt = this.#depth === 0 ? undefined : this.#table.firstSentAt();
    return {
      visible: Math.max(0, this.#depth - inFlight - delayed),
      inFlight,
      delayed,
      ...(oldestSentAt === undefined ? {} : { oldestSentAt }),
    };
  }

  /** Calls back, once a turn, when there may be messages to receive. */
  whenVisible(callback: () => void): void {
    this.#announcement.call(callback);
  }

  /** Resolves when there may be messages to receive, or the signal says to wait no longer. */
  nextVisible(signal: AbortSignal): Promise<void> {
    return this.#announcement.next(signal);
  }

  /**
   * Adds a message; resolves to its id when it is on disk.
   *
   * @throws {StorageError} where the message cannot be written; another error where it is larger than the queue takes.
   */
  send(body: string, options: SendOptions = {}): Promise<string> {
    const { maximumMessageBytes, name } = this.options;
    const bytes = Buffer.byteLength(body);
    if (bytes > maximumMessageBytes) {
      const limit = `InvalidParameterValue: ${name} takes messages of ${maximumMessageBytes} bytes, not ${bytes}`;
      return Promise.reject(new Error(limit));
    }
    const { messageId = randomUUID(), delayMs = 0 } = options;
    const now = this.#conditions.now();
    const message = this.#next({ messageId, body, sentAt: now });
    const dueAt = delayMs > 0 ? now + delayMs : undefined;
    return new Promise((resolve, reject) => {
      this.#table.insert(message, dueAt, this.#entryOf(options), (error) => {
        if (error !== undefined) return reject(error);
        this.counts.sent += 1;
        this.#admit(message, dueAt);
        resolve(messageId);
      });
    });
  }

  /**
   * Up to `maximum` visible messages; they are in flight until they are deleted or their visibility timeout ends, the
   * queue's own by default.
   */
  receive(maximum: number, visibilityTimeoutMs = this.options.visibilityTimeoutMs): ReceivedMessage[] {
    const received: ReceivedMessage[] = [];
    const limit = this.#conditions.inFlightLimit ?? inFlightLimit;
    while (received.length < maximum && this.#numberInFlight < limit) {
      const message = this.#visible.take();
      if (message === undefined) break;
      if (message.sentAt + this.options.retentionMs <= this.#conditions.now()) {
        this.counts.expired += 1;
        this.#remove(message, "expired");
      } else if (!this.#redrive(message)) {
        received.push(this.#putInFlight(message, visibilityTimeoutMs));
      }
    }
    return received;
  }

  /** Ends a message that was dealt with. */
  delete({ receiptHandle }: ReceivedMessage, end: MessageEnd = "delivered"): void {
    this.deleteReceipt(receiptHandle, end);
  }

  /** Ends the message of a receipt handle; false where the handle is none, or ran out. */
  deleteReceipt(receiptHandle: string, end: MessageEnd): boolean {
    const message = this.#inFlight.take(receiptHandle) ?? this.#putOff.take(receiptHandle);
    if (message === undefined) return false;
    if (isDuplicate(message)) return true;
    if (end === "dead") this.counts.dead += 1;
    else this.counts.deleted += 1;
    this.#remove(message, end);
    return true;
  }

  /**
   * Makes a message visible after another time than its visibility timeout, at once with 0; false where the handle is
   * none, or ran out. Until then the message is on disk only, over a restart too, and the handle stays valid.
   *
   * @throws where the message would be invisible for more than 43,200 s since it was received, as SQS refuses it.
   */
  changeVisibility(handle: string, timeoutMs: number): boolean {
    const inFlight = this.#inFlight.find(handle);
    const message = inFlight ?? this.#putOff.find(handle);
    if (message === undefined) return false;
    const visibleAt = this.#conditions.now() + timeoutMs;
    if (visibleAt - message.receivedAt > longestVisibilityMs) throw new Error(beyondLimit(timeoutMs));
    if (inFlight === undefined) {
      this.#putOff.change(message, visibleAt);
      return true;
    }
    this.#inFlight.take(handle);
    // Where memory has room it spares two writes, and a restart forgets that the message was received.
    if (timeoutMs === 0 && this.#visible.hasRoom) this.#makeVisible(inFlight);
    else if (!inFlight.isDuplicate) this.#putOff.add(inFlight, visibleAt);
    return true;
  }

  /**
   * Leaves a message that was not dealt with invisible until its timeout ends, or another time; it need not stay in
   * memory for that. One whose visibility was changed keeps that.
   */
  giveBack({ receiptHandle, visibleAgainAt }: ReceivedMessage, dueAt = visibleAgainAt): void {
    const message = this.#inFlight.take(receiptHandle);
    if (message !== undefined && !message.isDuplicate) this.#putOff.add(message, dueAt);
  }

  /**
   * Ends a message that is in flight by sending another one to a queue, both or neither. As with a redrive, it is dead
   * where that queue is not of its account, and received once more where that one cannot be written.
   */
  replace({ receiptHandle }: ReceivedMessage, to: Queue, body: string): void {
    const message = this.#inFlight.take(receiptHandle);
    if (message === undefined || message.isDuplicate) return;
    const contents = { messageId: randomUUID(), body, sentAt: this.#conditions.now() };
    to.#takeFrom(this, message, contents, message.receiveCount);
  }

  [Symbol.dispose](): void {
    this.#wakeUp.clear();
    this.#announcement.end();
  }

  get #numberInFlight(): number {
    return this.#inFlight.size + this.#putOff.received;
  }

  #next({ messageId, body, sentAt }: MessageContents): StoredMessage {
    this.#lastId += 1;
    return { id: this.#lastId, messageId, body, sentAt, receiveCount: 0 };
  }

  #entryOf({ origin = "rule", deadOf }: SendOptions): LedgerEntry | undefined {
    if (this.account !== undefined) return origin === "api" ? this.#entries.replayed : this.#entries.received;
    return deadOf === undefined ? undefined : { account: deadOf, amounts: { received: 1, dead: 1 } };
  }

  #admit(message: StoredMessage, dueAt?: number): void {
    this.#depth += 1;
    if (dueAt === undefined) {
      this.#visible.admit(message);
      this.#announcement.make();
    } else {
      this.#putOff.noteDelayed(dueAt);
    }
  }

  #putInFlight(message: StoredMessage, visibilityTimeoutMs: number): ReceivedMessage {
    const { disorder } = this.#conditions;
    const isDuplicate = disorder !== undefined && Math.floor(disorder.random() * disorder.duplicateEvery) === 0;
    if (isDuplicate) this.#visible.putBack(message);
    return this.#inFlight.add(message, visibilityTimeoutMs, isDuplicate);
  }

  /** Moves a message that was received too often, with its id and time. */
  #redrive(message: StoredMessage): boolean {
    const { redrive } = this.options;
    if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) return false;
    redrive.to.#takeFrom(this, message, message, redrive.maxReceiveCount);
    return true;
  }

  /** @param receiveCount With which the message has to go. */
  #takeFrom(source: Queue, message: StoredMessage, contents: MessageContents, receiveCount: number): void {
    const moved = this.#next(contents);
    // Moved within an account, a message is pending as before.
    const entries = source.account === this.account ? [] : [source.#entries.dead, this.#entries.received];
    this.#table.moveIn(moved, source.#table, message.id, entries, (error) => {
      if (error !== undefined) {
        // A full disk. It can only become empty by messages that are delivered: this one is received once more.
        source.#putOff.add({ ...message, receiveCount: receiveCount - 1 }, source.#conditions.now() + redriveRetryMs);
        return;
      }
      source.counts.redriven += 1;
      if (source.account !== this.account) source.counts.dead += 1;
      source.#depth -= 1;
      this.#admit(moved);
    });
  }

  #remove(message: StoredMessage, end: MessageEnd | "expired"): void {
    this.#depth -= 1;
    this.#table.remove(message.id, this.#entries[end]);
  }

  #makeVisible(message: ReceivedMessage): void {
    if (!message.isDuplicate) this.#visible.putBack(message);
    this.#announcement.make();
  }

  #takeVisibleAgain(): void {
    this.#inFlight.takeEnded((message) => this.#makeVisible(message));
    this.#visible.takeDue();
    this.#announcement.make();
  }
}

type MessageContents = Pick<StoredMessage, "messageId" | "body" | "sentAt">;

function beyondLimit(timeoutMs: number): string {
  const reason = `Total VisibilityTimeout for the message is beyond the limit [${longestVisibilityMs / 1000} seconds].`;
  return `InvalidParameterValue: Value ${timeoutMs / 1000} for parameter VisibilityTimeout is invalid. Reason: ${reason}`;
}

function isDuplicate(message: StoredMessage | ReceivedMessage): boolean {
  return "isDuplicate" in message && message.isDuplicate;
}
