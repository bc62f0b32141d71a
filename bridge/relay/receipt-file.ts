import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  decodeReceipts,
  encodeReceipts,
  type Receipt,
  Receipts,
  receiptBytes,
  receiptCapacity,
} from "../../client/receipts.ts";

const fileName = "receipts";
const olderName = "receipts.older";

/**
 * The ids of the last messages, kept in two files: a relay that was killed gives a message that the broker delivers again the
 * id that it had, so that the API sees the same `Idempotency-Key`.
 *
 * They are written and not synced: they outlive the process, and not a power cut, after which ids are new.
 */
export class ReceiptFile implements Disposable {
  readonly #folder: string;
  readonly #receipts = new Receipts();
  #file: number;
  #count: number;

  /** Makes the folder where it is missing, and reads what is there. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const receipt of decodeReceipts(this.#read(olderName))) this.#receipts.keep(receipt);
    const bytes = this.#read(fileName);
    for (const receipt of decodeReceipts(bytes)) this.#receipts.keep(receipt);
    this.#count = Math.ceil(bytes.length / receiptBytes);
    // A process that was killed while it wrote leaves a part of a receipt, behind which nothing could be read.
    if (bytes.length % receiptBytes === 0) this.#file = openSync(join(folder, fileName), "a");
    else this.#file = this.#turn();
  }

  find(packetIdentifier: number, fingerprint: string): string | undefined {
    return this.#receipts.find(packetIdentifier, fingerprint);
  }

  write(receipts: readonly Receipt[]): void {
    if (receipts.length === 0) return;
    for (const receipt of receipts) this.#receipts.keep(receipt);
    if (this.#count >= receiptCapacity) {
      closeSync(this.#file);
      this.#file = this.#turn();
    }
    writeSync(this.#file, encodeReceipts(receipts));
    this.#count += receipts.length;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  /** Begins a file; the one before it is the older one. */
  #turn(): number {
    renameSync(join(this.#folder, fileName), join(this.#folder, olderName));
    this.#count = 0;
    return openSync(join(this.#folder, fileName), "a");
  }

  #read(name: string): Buffer {
    try {
      return readFileSync(join(this.#folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
      throw error;
    }
  }
}
