import type { DatabaseSync, StatementSync } from "node:sqlite";
import { decodeReceipts, encodeReceipts, type Receipt, Receipts, receiptCapacity } from "../../client/receipts.ts";

/** Receipts more than that on disk: rows go together, since each time a row goes takes as long as one that comes. */
const slack = 8_192;

/**
 * The last receipts, on disk with the messages that they are of.
 *
 * A transaction's receipts are one row: a row for each message would double what is written.
 */
export class ReceiptTable {
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #receipts = new Receipts();
  /** Receipts in each row by its id, the oldest row first. */
  readonly #rows = new Map<number, number>();
  #kept = 0;
  #lastRow = 0;
  #staged: Receipt[] = [];

  constructor(database: DatabaseSync) {
    database.exec("CREATE TABLE IF NOT EXISTS receipts (id INTEGER PRIMARY KEY, receipts BLOB NOT NULL)");
    this.#insert = database.prepare("INSERT INTO receipts (id, receipts) VALUES (?, ?)");
    this.#remove = database.prepare("DELETE FROM receipts WHERE id <= ?");
    const rows = database.prepare("SELECT id, receipts FROM receipts ORDER BY id").all() as unknown as readonly {
      readonly id: number;
      readonly receipts: Uint8Array;
    }[];
    for (const { id, receipts } of rows) {
      const decoded = decodeReceipts(receipts);
      for (const receipt of decoded) this.#receipts.keep(receipt);
      this.#noteRow(id, decoded.length);
    }
  }

  /** The id that a message was given, undefined where it is not remembered. */
  find(packetIdentifier: number, fingerprint: string): string | undefined {
    return this.#receipts.find(packetIdentifier, fingerprint);
  }

  /** Remembers a receipt; says whether it is the first of those that wait to be written. */
  add(receipt: Receipt): boolean {
    this.#receipts.keep(receipt);
    return this.#staged.push(receipt) === 1;
  }

  /** Writes the receipts that wait, within the transaction of their messages' rows. */
  write(): void {
    const outdated = this.#outdated.at(-1);
    if (outdated !== undefined) this.#remove.run(outdated);
    this.#insert.run(this.#lastRow + 1, encodeReceipts(this.#staged));
  }

  /** The transaction has ended. Receipts of messages that could not be kept are not needed. */
  settle(isWritten: boolean): void {
    if (isWritten) {
      for (const id of this.#outdated) {
        this.#kept -= this.#rows.get(id) ?? 0;
        this.#rows.delete(id);
      }
      this.#noteRow(this.#lastRow + 1, this.#staged.length);
    }
    this.#staged = [];
  }

  /** Rows without which there are enough receipts, with those that wait; none as long as there are few of them. */
  get #outdated(): readonly number[] {
    const outdated: number[] = [];
    let kept = this.#kept + this.#staged.length;
    if (kept < receiptCapacity + slack) return outdated;
    for (const [id, count] of this.#rows) {
      kept -= count;
      if (kept < receiptCapacity) break;
      outdated.push(id);
    }
    return outdated;
  }

  #noteRow(id: number, count: number): void {
    this.#rows.set(id, count);
    this.#kept += count;
    this.#lastRow = id;
  }
}
