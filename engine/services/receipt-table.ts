import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";

/** A message of QoS 1 as a broker delivers it. */
export interface Delivery {
  /** Names the delivery until the broker has read the acknowledgement (MQTT 5 §2.2.1). */
  readonly packetIdentifier: number;
  /** DUP: the broker has sent it before, on this connection or on one before. */
  readonly isRedelivery: boolean;
}

/** That a message was taken, and the id it was given. */
export interface Receipt {
  readonly packetIdentifier: number;
  readonly fingerprint: string;
  /** UUID. */
  readonly id: string;
}

/**
 * Half of the packet identifiers that there are. A broker that counts them up, as Mosquitto does, gives one to another
 * message after 65,535 others: until then it is forgotten here.
 */
const capacity = 32_768;
/** Receipts more than that on disk: rows go together, since each time a row goes takes as long as one that comes. */
const slack = 8_192;

/** What tells two messages apart that come under one packet identifier: 64 bits of the payload, 32 of the topic. */
export function fingerprintOf(topic: string, payload: Uint8Array): string {
  return hash("sha256", payload, "hex").slice(0, 16) + crc32(topic).toString(16).padStart(8, "0");
}

/**
 * The last messages that were taken from the broker, so that one which it delivers again, because it never read the
 * acknowledgement, gets the id that it had: the API sees the same `Idempotency-Key`.
 *
 * The message itself is kept a second time: a broker may use a packet identifier again, for a message with the same
 * topic and payload, and only the API can tell those two apart from one that came twice.
 *
 * A transaction's receipts are one row: a row for each message would double what is written.
 */
export class ReceiptTable {
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  /** By packet identifier, each with its place in the order in which they came. */
  readonly #slots: (Slot | undefined)[] = new Array(65_536).fill(undefined);
  #count = 0;
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
      const decoded = decode(receipts);
      for (const receipt of decoded) this.#keep(receipt);
      this.#noteRow(id, decoded.length);
    }
  }

  /** The id that a message was given, undefined where it is not remembered. */
  find(packetIdentifier: number, fingerprint: string): string | undefined {
    const slot = this.#slots[packetIdentifier];
    if (slot === undefined || this.#count - slot.place >= capacity) return undefined;
    return slot.receipt.fingerprint === fingerprint ? slot.receipt.id : undefined;
  }

  /** Remembers a receipt; says whether it is the first of those that wait to be written. */
  add(receipt: Receipt): boolean {
    this.#keep(receipt);
    return this.#staged.push(receipt) === 1;
  }

  /** Writes the receipts that wait, within the transaction of their messages' rows. */
  write(): void {
    const outdated = this.#outdated.at(-1);
    if (outdated !== undefined) this.#remove.run(outdated);
    this.#insert.run(this.#lastRow + 1, encode(this.#staged));
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
    if (kept < capacity + slack) return outdated;
    for (const [id, count] of this.#rows) {
      kept -= count;
      if (kept < capacity) break;
      outdated.push(id);
    }
    return outdated;
  }

  #noteRow(id: number, count: number): void {
    this.#rows.set(id, count);
    this.#kept += count;
    this.#lastRow = id;
  }

  #keep(receipt: Receipt): void {
    this.#count += 1;
    this.#slots[receipt.packetIdentifier] = { receipt, place: this.#count };
  }
}

interface Slot {
  readonly receipt: Receipt;
  readonly place: number;
}

function encode(receipts: readonly Receipt[]): Buffer {
  const digits = receipts.map(
    ({ packetIdentifier, fingerprint, id }) =>
      packetIdentifier.toString(16).padStart(4, "0") + fingerprint + id.replaceAll("-", ""),
  );
  return Buffer.from(digits.join(""), "hex");
}

function decode(bytes: Uint8Array): readonly Receipt[] {
  const digits = Buffer.from(bytes).toString("hex");
  return (digits.match(/.{60}/g) ?? []).map((receipt) => {
    const [, packetIdentifier = "", fingerprint = "", ...id] =
      /^(.{4})(.{24})(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(receipt) ?? [];
    return { packetIdentifier: Number.parseInt(packetIdentifier, 16), fingerprint, id: id.join("-") };
  });
}
