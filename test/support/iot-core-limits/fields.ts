import { MalformedPacket } from "./packet-splitter.ts";

/** Reads the fields of a packet one after another (MQTT 5 §1.5). */
export class FieldReader {
  readonly buffer: Buffer;
  readonly end: number;
  at: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    return this.buffer.readUInt8(this.#advance(1));
  }

  twoBytes(): number {
    return this.buffer.readUInt16BE(this.#advance(2));
  }

  skip(bytes: number): void {
    this.#advance(bytes);
  }

  /** Text or binary data behind its length, without it. */
  data(): Buffer {
    const length = this.twoBytes();
    const start = this.#advance(length);
    return this.buffer.subarray(start, start + length);
  }

  text(): string {
    return this.data().toString();
  }

  variableInteger(): number {
    let value = 0;
    for (let index = 0; index < 4; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** index;
      if (byte < 0x80) return value;
    }
    throw new MalformedPacket("a variable byte integer of more than four bytes");
  }

  #advance(bytes: number): number {
    const start = this.at;
    if (start + bytes > this.end) throw new MalformedPacket("a packet that ends within a field");
    this.at += bytes;
    return start;
  }
}

/** Text or bytes behind their length. */
export function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function twoBytes(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function fourBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function variableInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

export function packet(firstByte: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([firstByte]), variableInteger(body.length), body]);
}
