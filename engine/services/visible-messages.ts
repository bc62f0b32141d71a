import type { PutOffMessages } from "./put-off-messages.ts";
import type { QueueTable, StoredMessage } from "./queue-table.ts";

const defaultWindowSize = 5_000;

/** Messages of a queue that may be received: a window of them in memory, and those behind it on disk. */
export class VisibleMessages {
  readonly #table: QueueTable;
  readonly #putOff: PutOffMessages;
  readonly #random: (() => number) | undefined;
  readonly #windowSize: number;
  #window: StoredMessage[] = [];
  /** The last message that was in memory; where the backlog is spilled, there are more behind it. */
  #readUpTo = 0;
  #isSpilled: boolean;

  /**
   * @param putOff Those that are due are visible.
   * @param random A number from 0 up to 1, for messages in any order; the order of the window by default.
   * @param windowSize Messages in memory at most, beside those in flight; the rest of a backlog is on disk only.
   */
  constructor(table: QueueTable, putOff: PutOffMessages, random?: () => number, windowSize = defaultWindowSize) {
    this.#table = table;
    this.#putOff = putOff;
    this.#random = random;
    this.#windowSize = windowSize;
    this.#isSpilled = table.lastId > 0;
  }

  /** Whether memory takes another message. */
  get hasRoom(): boolean {
    return this.#window.length < this.#windowSize;
  }

  /** A new message, which is on disk, stays in memory too, unless memory is full or older ones wait on disk. */
  admit(message: StoredMessage): void {
    this.#isSpilled ||= !this.hasRoom;
    if (this.#isSpilled) return;
    this.#readUpTo = message.id;
    this.#window.push(message);
  }

  /** A message that memory holds already is visible again. */
  putBack(message: StoredMessage): void {
    this.#window.push(message);
  }

  /** Takes over those that were put off and are due, now or when there is room. */
  takeDue(): void {
    if (this.hasRoom) this.#window.push(...this.#putOff.takeDue(this.#windowSize));
    else this.#putOff.leaveDue();
  }

  /** One message, undefined where there is none. */
  take(): StoredMessage | undefined {
    if (this.#window.length === 0) this.#readBacklog();
    if (this.#random === undefined) return this.#window.shift();
    return this.#window.splice(Math.floor(this.#random() * this.#window.length), 1)[0];
  }

  #readBacklog(): void {
    if (this.#isSpilled) {
      this.#window = this.#table.readFresh(this.#readUpTo, this.#windowSize);
      this.#readUpTo = this.#window.at(-1)?.id ?? this.#readUpTo;
      this.#isSpilled = this.#window.length === this.#windowSize;
    }
    if (this.#putOff.isDueLeft) this.#window.push(...this.#putOff.takeDue(this.#windowSize));
  }
}
