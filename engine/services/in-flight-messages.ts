import type { StoredMessage } from "./queue-table.ts";
import { receiptHandle } from "./receipt-handle.ts";
import type { WakeUp } from "./wake-up.ts";

export interface ReceivedMessage extends StoredMessage {
  readonly receiptHandle: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Milliseconds since 1970. */
  readonly visibleAgainAt: number;
  /** One of the deliveries that a standard queue makes now and then although the message is another's already. */
  readonly isDuplicate: boolean;
}

/** Messages of a queue that somebody holds right now, in memory: a few hundred as a rule. */
export class InFlightMessages {
  readonly #wakeUp: WakeUp;
  readonly #now: () => number;
  readonly #byHandle = new Map<string, ReceivedMessage>();
  #receipts = 0;

  /** @param wakeUp Is set to the time at which the next message is visible again. */
  constructor(wakeUp: WakeUp, now: () => number) {
    this.#wakeUp = wakeUp;
    this.#now = now;
  }

  get size(): number {
    return this.#byHandle.size;
  }

  /** Receives a message: once more than before, with a receipt handle of its own. */
  add(message: StoredMessage, visibilityTimeoutMs: number, isDuplicate: boolean): ReceivedMessage {
    this.#receipts += 1;
    const receivedAt = this.#now();
    const receiveCount = message.receiveCount + 1;
    const received: ReceivedMessage = {
      ...message,
      receiveCount,
      receivedAt,
      receiptHandle: receiptHandle({ ...message, receiveCount, receivedAt }, this.#receipts),
      visibleAgainAt: receivedAt + visibilityTimeoutMs,
      isDuplicate,
    };
    this.#byHandle.set(received.receiptHandle, received);
    this.#wakeUp.setAt(received.visibleAgainAt);
    return received;
  }

  find(handle: string): ReceivedMessage | undefined {
    return this.#byHandle.get(handle);
  }

  /** The message of a receipt handle, which is valid here no more. */
  take(handle: string): ReceivedMessage | undefined {
    const message = this.#byHandle.get(handle);
    this.#byHandle.delete(handle);
    return message;
  }

  /** Takes those whose visibility timeout has ended, one call for each. */
  takeEnded(callback: (message: ReceivedMessage) => void): void {
    const now = this.#now();
    for (const message of this.#byHandle.values()) {
      if (message.visibleAgainAt > now) {
        this.#wakeUp.setAt(message.visibleAgainAt);
        continue;
      }
      this.#byHandle.delete(message.receiptHandle);
      callback(message);
    }
  }
}
