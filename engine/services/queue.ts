import { randomUUID } from "node:crypto";
import { Announcement } from "./announcement.ts";
import type { StorageError } from "./change.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { LedgerColumn, LedgerEntry } from "./ledger.ts";
import type { QueueStore } from "./queue-store.ts";
import type { QueueTable, StoredMessage } from "./queue-table.ts";
import { parseReceiptHandle, receiptHandle } from "./receipt-handle.ts";
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
  readonly messageId?: string;
  /** How long nobody receives it, in milliseconds. */
  readonly delayMs?: number;
  /** Who sends: a topic rule by default. */
  readonly origin?: "rule" | "api";
  /** Where the queue is no account's: the account in which the message is dead by being here. */
  readonly deadOf?: string | undefined;
}

/** What became of a message that is deleted. */
export type MessageEnd = "delivered" | "dead";

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

export interface ReceivedMessage extends StoredMessage {
  readonly receiptHandle: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Milliseconds since 1970. */
  readonly visibleAgainAt: number;
  /** One of the deliveries that a standard queue makes now and then although the message is another's already. */
  readonly isDuplicate: boolean;
}

/** What a test may bend: time, a limit, and the disorder that SQS allows itself. */
export interface QueueConditions extends Partial<Clock> {
  /** Messages in flight at most; SQS's own limit for a standard queue by default. */
  readonly inFlightLimit?: number;
  /** `random` gives a number from 0 up to 1. Messages come in any order, and one in `duplicateEvery` comes twice. */
  readonly disorder?: { readonly random: () => number; readonly duplicateEvery: number };
}

/** Messages in memory at most, beside those in flight; the rest of a backlog is on disk only. */
const windowSize = 5_000;
/** SQS's limit of messages in flight for a standard queue. */
const inFlightLimit = 120_000;
/** SQS's limit of the time that a message is invisible after it was received. */
const longestVisibilityMs = 12 * 3_600_000;
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
  /** The ledger's account that the messages belong to, undefined for one of its own. */
  readonly account: string | undefined;
  readonly counts = { sent: 0, deleted: 0, dead: 0, expired: 0, redriven: 0 };
  readonly #table: QueueTable;
  readonly #conditions: QueueConditions & Clock;
  readonly #entries: Readonly<Record<"received" | "replayed" | LedgerEnd, LedgerEntry | undefined>>;
  /** Visible and in memory. */
  #ready: StoredMessage[] = [];
  /** By receipt handle. */
  readonly #inFlight = new Map<string, ReceivedMessage>();
  /** Received and put off: in flight still, but on disk only. */
  #putOffs: number;
  #delayed: number;
  #depth: number;
  #lastId: number;
  #receipts = 0;
  /** The last message that was in memory; where the backlog is spilled, there are more behind it. */
  #readUpTo = 0;
  #isSpilled: boolean;
  /** Whether messages that were put off are due, which memory has no room for yet. */
  #isDueLeft = false;
  readonly #wakeUp: WakeUp;
  readonly #announcement = new Announcement();

  constructor(options: QueueOptions, store: QueueStore, conditions: QueueConditions = {}) {
    this.options = options;
    this.#conditions = { ...systemClock, ...conditions };
    this.#wakeUp = new WakeUp(this.#conditions, () => this.#takeVisibleAgain());
    this.#table = store.table(options.name);
    this.account = store.account(options.name, options.account);
    this.#entries = entriesOf(this.account);
    this.#depth = this.#table.count();
    const { received, delayed } = this.#table.countPutOff();
    this.#putOffs = received;
    this.#delayed = delayed;
    this.#lastId = this.#table.lastId;
    this.#isSpilled = this.#depth > 0;
    this.#wakeUp.setAt(this.#table.nextDueAt());
  }

  /** Messages in the queue, visible or not. */
  get depth(): number {
    return this.#depth;
  }

  get attributes(): QueueNumbers {
    const inFlight = this.#inFlight.size + this.#putOffs;
    const oldestSentAt = this.#depth === 0 ? undefined : this.#table.firstSentAt();
    return {
      visible: Math.max(0, this.#depth - inFlight - this.#delayed),
      inFlight,
      delayed: this.#delayed,
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
        if (dueAt === undefined) this.#admit(message);
        else this.#admitDelayed(dueAt);
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
    while (received.length < maximum && this.#inFlight.size + this.#putOffs < limit) {
      const message = this.#takeReady();
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
    const message = this.#takeInFlight(receiptHandle) ?? this.#takePutOff(receiptHandle);
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
    const inFlight = this.#inFlight.get(handle);
    const message = inFlight ?? this.#findPutOff(handle);
    if (message === undefined) return false;
    const visibleAt = this.#conditions.now() + timeoutMs;
    if (visibleAt - message.receivedAt > longestVisibilityMs) throw new Error(beyondLimit(timeoutMs));
    this.#inFlight.delete(handle);
    if (inFlight === undefined) this.#changePutOff(message, visibleAt);
    // Where memory has room it spares two writes, and a restart forgets that the message was received.
    else if (timeoutMs === 0 && this.#ready.length < windowSize) this.#makeReady(inFlight);
    else if (!inFlight.isDuplicate) this.#putOff(inFlight, visibleAt);
    return true;
  }

  /**
   * Leaves a message that was not dealt with invisible until its timeout ends; it need not stay in memory for that. One
   * whose visibility was changed keeps that.
   */
  giveBack({ receiptHandle }: ReceivedMessage): void {
    const message = this.#takeInFlight(receiptHandle);
    if (message !== undefined && !message.isDuplicate) this.#putOff(message, message.visibleAgainAt);
  }

  [Symbol.dispose](): void {
    this.#wakeUp.clear();
    this.#announcement.end();
  }

  #next(message: Pick<StoredMessage, "messageId" | "body" | "sentAt">): StoredMessage {
    this.#lastId += 1;
    const { messageId, body, sentAt } = message;
    return { id: this.#lastId, messageId, body, sentAt, receiveCount: 0 };
  }

  #entryOf({ origin = "rule", deadOf }: SendOptions): LedgerEntry | undefined {
    if (this.account !== undefined) return origin === "api" ? this.#entries.replayed : this.#entries.received;
    return deadOf === undefined ? undefined : { account: deadOf, amounts: { received: 1, dead: 1 } };
  }

  /** A message that is on disk stays in memory too, unless memory is full or older ones wait on disk. */
  #admit(message: StoredMessage): void {
    this.#depth += 1;
    this.#isSpilled ||= this.#ready.length >= windowSize;
    if (!this.#isSpilled) {
      this.#readUpTo = message.id;
      this.#ready.push(message);
    }
    this.#announcement.make();
  }

  #admitDelayed(dueAt: number): void {
    this.#depth += 1;
    this.#delayed += 1;
    this.#wakeUp.setAt(dueAt);
  }

  #takeReady(): StoredMessage | undefined {
    if (this.#ready.length === 0) this.#readBacklog();
    const { disorder } = this.#conditions;
    if (disorder === undefined) return this.#ready.shift();
    return this.#ready.splice(Math.floor(disorder.random() * this.#ready.length), 1)[0];
  }

  #readBacklog(): void {
    if (this.#isSpilled) {
      this.#ready = this.#table.readFresh(this.#readUpTo, windowSize);
      this.#readUpTo = this.#ready.at(-1)?.id ?? this.#readUpTo;
      this.#isSpilled = this.#ready.length === windowSize;
    }
    if (this.#isDueLeft) this.#takeDue();
  }

  #putInFlight(message: StoredMessage, visibilityTimeoutMs: number): ReceivedMessage {
    const { disorder, now } = this.#conditions;
    const isDuplicate = disorder !== undefined && Math.floor(disorder.random() * disorder.duplicateEvery) === 0;
    if (isDuplicate) this.#ready.push(message);
    this.#receipts += 1;
    const receivedAt = now();
    const receiveCount = message.receiveCount + 1;
    const received: ReceivedMessage = {
      ...message,
      receiveCount,
      receivedAt,
      receiptHandle: receiptHandle({ ...message, receiveCount, receivedAt }, this.#receipts),
      visibleAgainAt: receivedAt + visibilityTimeoutMs,
      isDuplicate,
    };
    this.#inFlight.set(received.receiptHandle, received);
    this.#wakeUp.setAt(received.visibleAgainAt);
    return received;
  }

  #takeInFlight(handle: string): ReceivedMessage | undefined {
    const message = this.#inFlight.get(handle);
    this.#inFlight.delete(handle);
    return message;
  }

  /** The message of a handle that is on disk only. Looked up there: memory holds nothing of those that wait. */
  #findPutOff(handle: string): (StoredMessage & { readonly receivedAt: number }) | undefined {
    const receipt = parseReceiptHandle(handle);
    const message = receipt && this.#table.findPutOff(receipt.id);
    const isValid =
      message !== undefined &&
      message.messageId === receipt?.messageId &&
      message.receiveCount === receipt.receiveCount &&
      message.dueAt > this.#conditions.now();
    return isValid ? { ...message, receivedAt: receipt.receivedAt } : undefined;
  }

  #takePutOff(handle: string): StoredMessage | undefined {
    const message = this.#findPutOff(handle);
    if (message !== undefined) this.#putOffs -= 1;
    return message;
  }

  /** Moves a message that was received too often, with its id and time. */
  #redrive(message: StoredMessage): boolean {
    const { redrive, visibilityTimeoutMs } = this.options;
    if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) return false;
    redrive.to.#takeFrom(this, message, (error) => {
      if (error === undefined) return;
      // A full disk. It can only become empty by messages that are delivered: this one is received once more.
      const receiveCount = redrive.maxReceiveCount - 1;
      this.#putOff({ ...message, receiveCount }, this.#conditions.now() + visibilityTimeoutMs);
    });
    return true;
  }

  #takeFrom(source: Queue, message: StoredMessage, done: (error?: StorageError) => void): void {
    const moved = this.#next(message);
    // Moved within an account, a message is pending as before.
    const entries = source.account === this.account ? [] : [source.#entries.dead, this.#entries.received];
    this.#table.moveIn(moved, source.#table, message.id, entries, (error) => {
      if (error === undefined) {
        source.counts.redriven += 1;
        if (source.account !== this.account) source.counts.dead += 1;
        source.#depth -= 1;
        this.#admit(moved);
      }
      done(error);
    });
  }

  #putOff(message: StoredMessage, dueAt: number): void {
    this.#countPutOff(message.receiveCount, 1);
    this.#changePutOff(message, dueAt);
  }

  #countPutOff(receiveCount: number, change: 1 | -1): void {
    if (receiveCount === 0) this.#delayed += change;
    else this.#putOffs += change;
  }

  #remove(message: StoredMessage, end: LedgerEnd): void {
    this.#depth -= 1;
    this.#table.remove(message.id, this.#entries[end]);
  }

  #changePutOff({ id, receiveCount }: StoredMessage, dueAt: number): void {
    this.#table.putOff(id, dueAt, receiveCount);
    this.#wakeUp.setAt(dueAt);
  }

  #makeReady(message: ReceivedMessage): void {
    if (!message.isDuplicate) this.#ready.push(message);
    this.#announcement.make();
  }

  #takeVisibleAgain(): void {
    const now = this.#conditions.now();
    // What functions hold right now: a few hundred messages as a rule.
    for (const message of this.#inFlight.values()) {
      if (message.visibleAgainAt > now) {
        this.#wakeUp.setAt(message.visibleAgainAt);
        continue;
      }
      this.#inFlight.delete(message.receiptHandle);
      if (!message.isDuplicate) this.#ready.push(message);
    }
    if (this.#ready.length < windowSize) this.#takeDue();
    else this.#isDueLeft = true;
    this.#announcement.make();
  }

  #takeDue(): void {
    const now = this.#conditions.now();
    try {
      const due = this.#table.takeDue(now, windowSize);
      for (const { receiveCount } of due) this.#countPutOff(receiveCount, -1);
      this.#ready.push(...due);
      this.#isDueLeft = due.length === windowSize;
      if (!this.#isDueLeft) this.#wakeUp.setAt(this.#table.nextDueAt());
    } catch {
      // A full disk, most likely: the messages are where they were.
      this.#wakeUp.setAt(now + writeRetryMs);
    }
  }
}

type LedgerEnd = (MessageEnd & LedgerColumn) | "expired";

/** Made once: the ledger adds up equal entries of a transaction by their identity. */
function entriesOf(account: string | undefined): Record<"received" | "replayed" | LedgerEnd, LedgerEntry | undefined> {
  const entry = (amounts: LedgerEntry["amounts"]) => (account === undefined ? undefined : { account, amounts });
  return {
    received: entry({ received: 1 }),
    replayed: entry({ received: 1, replayed: 1 }),
    delivered: entry({ delivered: 1 }),
    dead: entry({ dead: 1 }),
    expired: entry({ expired: 1 }),
  };
}

function beyondLimit(timeoutMs: number): string {
  const reason = `Total VisibilityTimeout for the message is beyond the limit [${longestVisibilityMs / 1000} seconds].`;
  return `InvalidParameterValue: Value ${timeoutMs / 1000} for parameter VisibilityTimeout is invalid. Reason: ${reason}`;
}

function isDuplicate(message: StoredMessage | ReceivedMessage): boolean {
  return "isDuplicate" in message && message.isDuplicate;
}
