import type { QueueTable, StoredMessage } from "./queue-table.ts";
import { parseReceiptHandle } from "./receipt-handle.ts";
import type { WakeUp } from "./wake-up.ts";

/** How long to wait after the disk refused a write. */
const writeRetryMs = 1000;

/**
 * Messages of a queue that nobody receives before a time: received and put off, or sent with a delay. They are on disk
 * only, and stay what they are over a restart; memory holds how many there are.
 */
export class PutOffMessages {
  readonly #table: QueueTable;
  readonly #wakeUp: WakeUp;
  readonly #now: () => number;
  #received: number;
  #delayed: number;
  #isDueLeft = false;

  /** @param wakeUp Is set to the time at which the next message is due. */
  constructor(table: QueueTable, wakeUp: WakeUp, now: () => number) {
    this.#table = table;
    this.#wakeUp = wakeUp;
    this.#now = now;
    const { received, delayed } = table.countPutOff();
    this.#received = received;
    this.#delayed = delayed;
    wakeUp.setAt(table.nextDueAt());
  }

  /** Messages that were received: in flight still. */
  get received(): number {
    return this.#received;
  }

  /** Messages that were sent with a delay, and not received yet. */
  get delayed(): number {
    return this.#delayed;
  }

  /** Whether messages are due for which memory has had no room yet. */
  get isDueLeft(): boolean {
    return this.#isDueLeft;
  }

  /** @param dueAt Milliseconds since 1970. */
  add(message: StoredMessage, dueAt: number): void {
    this.#count(message, 1);
    this.change(message, dueAt);
  }

  /** Another time for a message that is put off already. */
  change({ id, receiveCount }: StoredMessage, dueAt: number): void {
    this.#table.putOff(id, dueAt, receiveCount);
    this.#wakeUp.setAt(dueAt);
  }

  /** Takes note of a message that was written with a delay. */
  noteDelayed(dueAt: number): void {
    this.#delayed += 1;
    this.#wakeUp.setAt(dueAt);
  }

  /** The message of a receipt handle. Looked up on disk: memory holds nothing of those that wait. */
  find(handle: string): (StoredMessage & { readonly receivedAt: number }) | undefined {
    const receipt = parseReceiptHandle(handle);
    const message = receipt && this.#table.findPutOff(receipt.id);
    const isValid =
      message !== undefined &&
      message.messageId === receipt?.messageId &&
      message.receiveCount === receipt.receiveCount &&
      message.dueAt > this.#now();
    return isValid ? { ...message, receivedAt: receipt.receivedAt } : undefined;
  }

  /** The message of a receipt handle, which is put off no more; its row is the caller's to remove. */
  take(handle: string): StoredMessage | undefined {
    const message = this.find(handle);
    if (message !== undefined) this.#received -= 1;
    return message;
  }

  /** Up to `limit` messages whose time has come; none on a full disk, until a later try. */
  takeDue(limit: number): readonly StoredMessage[] {
    const now = this.#now();
    let due: readonly StoredMessage[] = [];
    try {
      due = this.#table.takeDue(now, limit);
      for (const message of due) this.#count(message, -1);
      this.#isDueLeft = due.length === limit;
      if (!this.#isDueLeft) this.#wakeUp.setAt(this.#table.nextDueAt());
    } catch {
      // A full disk, most likely: the messages are where they were.
      this.#wakeUp.setAt(now + writeRetryMs);
    }
    return due;
  }

  /** Says that messages are due, and memory has no room for them. */
  leaveDue(): void {
    this.#isDueLeft = true;
  }

  #count({ receiveCount }: StoredMessage, change: 1 | -1): void {
    if (receiveCount === 0) this.#delayed += change;
    else this.#received += change;
  }
}
