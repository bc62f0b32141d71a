import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

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
export const receiptCapacity = 32_768;

/** Of an encoded receipt: packet identifier, fingerprint, UUID. */
export const receiptBytes = 2 + 12 + 16;

/** What tells two messages apart that come under one packet identifier: 64 bits of the payload, 32 of the topic. */
export function fingerprintOf(topic: string, payload: Uint8Array): string {
  return hash("sha256", payload, "hex").slice(0, 16) + crc32(topic).toString(16).padStart(8, "0");
}

/**
 * The last messages that were taken from a broker, so that one which it delivers again, because it never read the
 * acknowledgement, gets the id that it had: the API sees the same `Idempotency-Key`.
 *
 * The message itself is sent on a second time: a broker may use a packet identifier again, for a message with the same
 * topic and payload, and only the API can tell those two apart from one that came twice.
 */
export class Receipts {
  /** By packet identifier, each with its place in the order in which they came. */
  readonly #slots: (Slot | undefined)[] = new Array(65_536).fill(undefined);
  #count = 0;

  /** The id that a message was given, undefined where it is not remembered. */
  find(packetIdentifier: number, fingerprint: string): string | undefined {
    const slot = this.#slots[packetIdentifier];
    if (slot === undefined || this.#count - slot.place >= receiptCapacity) return undefined;
    return slot.receipt.fingerprint === fingerprint ? slot.receipt.id : undefined;
  }

  keep(receipt: Receipt): void {
    this.#count += 1;
    this.#slots[receipt.packetIdentifier] = { receipt, place: this.#count };
  }
}

interface Slot {
  readonly receipt: Receipt;
  readonly place: number;
}

export function encodeReceipts(receipts: readonly Receipt[]): Buffer {
  const digits = receipts.map(
    ({ packetIdentifier, fingerprint, id }) =>
      packetIdentifier.toString(16).padStart(4, "0") + fingerprint + id.replaceAll("-", ""),
  );
  return Buffer.from(digits.join(""), "hex");
}

/** Of bytes that end within a receipt, those before it. */
export function decodeReceipts(bytes: Uint8Array): readonly Receipt[] {
  const digits = Buffer.from(bytes).toString("hex");
  return (digits.match(/.{60}/g) ?? []).map((receipt) => {
    const [, packetIdentifier = "", fingerprint = "", ...id] =
      /^(.{4})(.{24})(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(receipt) ?? [];
    return { packetIdentifier: Number.parseInt(packetIdentifier, 16), fingerprint, id: id.join("-") };
  });
}
