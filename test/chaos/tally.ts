import { hash } from "node:crypto";

/** What the API has seen of a message, by its Idempotency-Key. */
export interface Receipt {
  readonly number: number;
  readonly idempotencyKey: string;
}

/** Which of the numbered messages the broker has acknowledged and the API has received: some 11 bytes for each. */
export class Tally {
  readonly #acknowledged: Uint8Array;
  readonly #receipts: Uint16Array;
  /** Of the first receipt's key, the first eight bytes of its hash. */
  readonly #keys: BigUint64Array;
  acknowledged = 0;
  /** Different messages. */
  received = 0;
  duplicatesWithSameKey = 0;
  /** Than at the message's first receipt. */
  duplicatesWithOtherKey = 0;
  /** Requests that no message of the run should have become. */
  unexpected = 0;

  constructor(messages: number) {
    this.#acknowledged = new Uint8Array(messages);
    this.#receipts = new Uint16Array(messages);
    this.#keys = new BigUint64Array(messages);
  }

  get messages(): number {
    return this.#acknowledged.length;
  }

  /** Acknowledged to their senders and not at the API; one that is there before its PUBACK counts as minus one. */
  get undelivered(): number {
    return this.acknowledged - this.received;
  }

  acknowledge(number: number): void {
    this.#acknowledged[number] = 1;
    this.acknowledged += 1;
  }

  receive({ number, idempotencyKey }: Receipt): void {
    const before = this.#receipts[number] ?? 0;
    const key = hash("sha1", idempotencyKey, "buffer").readBigUInt64LE();
    this.#receipts[number] = before + 1;
    if (before === 0) {
      this.received += 1;
      this.#keys[number] = key;
    } else if (this.#keys[number] === key) {
      this.duplicatesWithSameKey += 1;
    } else {
      this.duplicatesWithOtherKey += 1;
    }
  }

  /** Numbers of acknowledged messages that the API has not received. */
  missing(): readonly number[] {
    const numbers: number[] = [];
    for (const [number, isAcknowledged] of this.#acknowledged.entries()) {
      if (isAcknowledged === 1 && this.#receipts[number] === 0) numbers.push(number);
    }
    return numbers;
  }
}
