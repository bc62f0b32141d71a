import { hash } from "node:crypto";
import { type Doubt, doubts, handoverMs } from "./doubt.ts";

/** What the API has taken, by its Idempotency-Key. */
export interface TakenMessage {
  readonly messageNumber: number;
  readonly idempotencyKey: string;
}

/** As long as a plan is not over, further messages are published: so many at most. */
function capacityFor(messages: number): number {
  return 4 * messages + 100_000;
}

const allDoubts = Object.keys(doubts) as readonly Doubt[];

/** What may come to the engine once more, and whether it knows it again then. */
const repetition = { none: 0, withSameKey: 1, withAnyKey: 2 } as const;
type Repetition = (typeof repetition)[keyof typeof repetition];

/**
 * Which of the numbered messages the broker has acknowledged and the API has taken, and whether what the API took twice
 * had to be sent twice: some 30 bytes for each of them.
 */
export class Tally {
  readonly messages: number;
  readonly #now: () => number;
  /** When the broker acknowledged it; not a number before. */
  readonly #acknowledgedAt: Float64Array;
  readonly #receipts: Uint16Array;
  /** Of the first receipt's key, the first eight bytes of its hash. */
  readonly #keys: BigUint64Array;
  /** When the last receipt came. */
  readonly #receivedAt: Float64Array;
  /** The last receipt's doubt, as its place in `allDoubts` and one more; 0 for none. */
  readonly #doubts: Uint8Array;
  readonly #repetitions: Uint8Array;
  /** Duplicates that nothing explains, so far. */
  readonly #unexplained = new Set<number>();
  #isEngineAway = false;
  #isEngineRefusing = false;
  /** Since when the broker and the engine are connected, as far as is known. */
  #connectedAt = Number.NEGATIVE_INFINITY;
  /** At the last cut, what the broker had acknowledged from then on was perhaps not handed over. */
  #handoverFrom = 0;
  /** Messages that were handed to their devices: those with the lowest numbers. */
  published = 0;
  acknowledged = 0;
  /** Different messages. */
  received = 0;
  /** Further requests for a message, with its key and for a reason. */
  readonly duplicates = new Map<Doubt, number>();
  /** Further requests with another key, since the broker was killed and the device does not name its message. */
  renamed = 0;
  /** Messages that came with another key than first, and should not have. */
  readonly changedKeys: number[] = [];
  /** Requests that no message of the run should have become. */
  readonly unexpected: string[] = [];

  /**
   * @param messages Of the run, at least.
   * @param now Milliseconds.
   */
  constructor(messages: number, now = () => performance.now()) {
    const capacity = capacityFor(messages);
    this.messages = messages;
    this.#now = now;
    this.#acknowledgedAt = new Float64Array(capacity).fill(Number.NaN);
    this.#receipts = new Uint16Array(capacity);
    this.#keys = new BigUint64Array(capacity);
    this.#receivedAt = new Float64Array(capacity);
    this.#doubts = new Uint8Array(capacity);
    this.#repetitions = new Uint8Array(capacity);
  }

  /** So many can be counted. */
  get capacity(): number {
    return this.#receipts.length;
  }

  /** Acknowledged to their senders and not at the API; one that is there before its PUBACK counts as minus one. */
  get undelivered(): number {
    return this.acknowledged - this.received;
  }

  /** Messages that came again with their key, although nobody had reason to send them again. */
  get unexplained(): readonly number[] {
    return [...this.#unexplained];
  }

  acknowledge(number: number): void {
    this.#acknowledgedAt[number] = this.#now();
    this.acknowledged += 1;
    if (this.#isEngineRefusing) this.#repetitions[number] = repetition.withSameKey;
  }

  receive({ messageNumber, idempotencyKey }: TakenMessage): void {
    const before = this.#receipts[messageNumber] ?? 0;
    const key = hash("sha1", idempotencyKey, "buffer").readBigUInt64LE();
    const doubt = allDoubts[(this.#doubts[messageNumber] ?? 0) - 1];
    this.#receipts[messageNumber] = before + 1;
    this.#receivedAt[messageNumber] = this.#now();
    // A doubt is a receipt's: the next one has to be in doubt itself to explain another.
    this.#doubts[messageNumber] = this.#isEngineAway ? allDoubts.indexOf("engineKilled") + 1 : 0;
    if (before === 0) {
      this.received += 1;
      this.#keys[messageNumber] = key;
    } else if (this.#keys[messageNumber] !== key) {
      if (this.#takeRepetition(messageNumber) === repetition.withAnyKey) this.renamed += 1;
      else this.changedKeys.push(messageNumber);
    } else if (doubt !== undefined) {
      this.#countDuplicate(doubt);
    } else {
      this.#receiveRepetition(messageNumber);
    }
  }

  /** The sender may not learn of a message's last receipt. */
  doubt(messageNumber: number, doubt: Doubt): void {
    // That a connection was closed can be seen after the same message has come by another one.
    if (doubt === "closed" && this.#unexplained.delete(messageNumber)) this.#countDuplicate(doubt);
    else if (this.#doubts[messageNumber] === 0) this.#doubts[messageNumber] = allDoubts.indexOf(doubt) + 1;
  }

  /** @param settleMs Until the engine surely has on disk what the API answered. */
  noteEngineKilled(settleMs: number): void {
    const from = this.#now() - settleMs;
    for (const [number, receivedAt] of this.#receivedAt.entries()) {
      if (this.#receipts[number] !== 0 && receivedAt >= from) this.doubt(number, "engineKilled");
    }
    this.#noteCut(repetition.withSameKey);
    this.#isEngineAway = true;
  }

  noteEngineRunning(): void {
    this.#isEngineAway = false;
    this.#connectedAt = this.#now();
  }

  /** From now on the engine may refuse messages, and end the connection to be given them again. */
  noteEngineRefusing(): void {
    this.#noteCut(repetition.withSameKey);
    this.#isEngineRefusing = true;
  }

  noteEngineTaking(): void {
    this.#isEngineRefusing = false;
    this.#connectedAt = this.#now();
  }

  /** What was acknowledged to its device, and what was not: that one sends again. */
  noteBrokerKilled(): void {
    this.#noteCut(repetition.withAnyKey);
    this.#connectedAt = this.#now();
  }

  noteUnexpected(line: string): void {
    this.unexpected.push(line);
  }

  /** Numbers of acknowledged messages that are neither at the API nor among the others. */
  missing(others: ReadonlySet<number> = new Set()): readonly number[] {
    const numbers: number[] = [];
    for (const [number, acknowledgedAt] of this.#acknowledgedAt.entries()) {
      if (acknowledgedAt >= 0 && this.#receipts[number] === 0 && !others.has(number)) numbers.push(number);
    }
    return numbers;
  }

  #noteCut(kind: Repetition): void {
    const now = this.#now();
    if (now - this.#connectedAt >= handoverMs) this.#handoverFrom = now - handoverMs;
    for (let number = 0; number < this.published; number++) {
      const acknowledgedAt = this.#acknowledgedAt[number] ?? Number.NaN;
      // Also where it is not a number: the engine may have what its device has no PUBACK of.
      if (!(acknowledgedAt < this.#handoverFrom)) this.#repetitions[number] = kind;
    }
  }

  #receiveRepetition(messageNumber: number): void {
    const kind = this.#takeRepetition(messageNumber);
    if (kind === repetition.none) this.#unexplained.add(messageNumber);
    else this.#countDuplicate(kind === repetition.withAnyKey ? "brokerKilled" : "redelivered");
  }

  #takeRepetition(messageNumber: number): Repetition {
    const kind = this.#repetitions[messageNumber] as Repetition;
    this.#repetitions[messageNumber] = repetition.none;
    return kind;
  }

  #countDuplicate(doubt: Doubt): void {
    this.duplicates.set(doubt, (this.duplicates.get(doubt) ?? 0) + 1);
  }
}
