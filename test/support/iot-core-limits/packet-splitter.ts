/** Control packet types (MQTT 5 §2.1.2) that are looked at. */
export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;

/** A packet where it lies in what was read. */
export interface Packet {
  readonly buffer: Buffer;
  readonly type: number;
  /** Its first byte. */
  readonly start: number;
  /** What follows the remaining length. */
  readonly body: number;
  readonly end: number;
}

/** Send it on, leave it out, send something else in its place, or read no more. */
export type Verdict = "pass" | "drop" | "stop" | Uint8Array;

/** Bytes that are no MQTT. */
export class MalformedPacket extends Error {
  override readonly name = "MalformedPacket";
}

/**
 * Cuts a stream into packets and puts together again what passes. Neighbours that pass stay one piece: most of a fast
 * stream is neither copied nor written packet by packet.
 */
export class PacketSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that the packet which began takes; as long as fewer are there, there is nothing to look at. */
  #neededBytes = 0;
  #isStopped = false;

  /** What is to be sent on. @throws {MalformedPacket} */
  push(bytes: Buffer, judge: (packet: Packet) => Verdict): readonly Uint8Array[] {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#isStopped || this.#pendingBytes < this.#neededBytes) return [];
    const buffer = this.#pending.length === 1 ? bytes : Buffer.concat(this.#pending);
    const passed: Uint8Array[] = [];
    let kept = 0;
    let at = 0;
    for (;;) {
      const packet = packetAt(buffer, at);
      if (typeof packet === "number") {
        this.#neededBytes = packet;
        break;
      }
      const verdict = judge(packet);
      if (verdict !== "pass") {
        if (kept < at) passed.push(buffer.subarray(kept, at));
        if (typeof verdict === "object") passed.push(verdict);
        kept = packet.end;
      }
      at = packet.end;
      if (verdict !== "stop") continue;
      this.#isStopped = true;
      return passed;
    }
    if (kept < at) passed.push(buffer.subarray(kept, at));
    this.#pending = at < buffer.length ? [buffer.subarray(at)] : [];
    this.#pendingBytes = buffer.length - at;
    return passed;
  }
}

/** The packet that begins there, or how many bytes it takes to know more. */
function packetAt(buffer: Buffer, start: number): Packet | number {
  let length = 0;
  for (let index = 1; index <= 4; index++) {
    const byte = buffer[start + index];
    if (byte === undefined) return index + 1;
    length += (byte & 0x7f) * 128 ** (index - 1);
    if (byte >= 0x80) continue;
    const body = start + index + 1;
    const end = body + length;
    if (end > buffer.length) return end - start;
    return { buffer, type: (buffer[start] ?? 0) >> 4, start, body, end };
  }
  throw new MalformedPacket("a remaining length of more than four bytes");
}
