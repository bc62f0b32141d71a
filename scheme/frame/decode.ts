import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import type { HeaderField } from "../envelope/header-field.ts";
import { checksum } from "./checksum.ts";
import {
  type Frame,
  FrameFlag,
  type FrameMember,
  frameHeaderBytes,
  frameVersion,
  MemberFlag,
  maxFrameMembers,
  maxUnpackedBytes,
  type Refusal,
} from "./frame.ts";
import { FrameError } from "./frame-error.ts";

const knownFrameFlags = Object.values(FrameFlag).reduce<number>((all, flag) => all | flag, 0);
const knownMemberFlags = Object.values(MemberFlag).reduce<number>((all, flag) => all | flag, 0);

/**
 * Takes a frame apart. Whatever the bytes are, it is one of the two: all members as they were sent, or an error.
 *
 * @throws {FrameError}
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length < frameHeaderBytes || frame.toString("latin1", 0, 2) !== "TF") {
    throw new FrameError("FRAME_NOT_ONE", `${frame.length} bytes that do not begin with TF, as a frame does`);
  }
  const [, , version = 0, flags = 0] = frame;
  if (version !== frameVersion) {
    throw new FrameError("FRAME_VERSION", `a frame of version ${version}, this reads version ${frameVersion}`);
  }
  if ((flags & ~knownFrameFlags) !== 0) throw new FrameError("FRAME_VERSION", `unknown flags, ${flags}`);
  const packed = frame.subarray(frameHeaderBytes);
  const body = (flags & FrameFlag.isDeflated) === 0 ? unpacked(packed) : inflate(packed);
  if (checksum(frame, body) !== frame.readUInt32BE(4)) throw corrupt("its checksum is another one");
  const reader = new Reader(body);
  const members: FrameMember[] = [];
  while (!reader.isAtEnd) {
    if (members.length === maxFrameMembers) {
      throw new FrameError("FRAME_TOO_LARGE", `more than ${maxFrameMembers} members`);
    }
    members.push(readMember(reader));
  }
  if (members.length === 0) throw new FrameError("FRAME_EMPTY", "a frame has at least one member");
  return { qos: (flags & FrameFlag.isQos1) === 0 ? 0 : 1, members };
}

function unpacked(body: Buffer): Buffer {
  if (body.length <= maxUnpackedBytes) return body;
  throw new FrameError("FRAME_TOO_LARGE", `${body.length} bytes, the limit is ${maxUnpackedBytes}`);
}

/** A bomb is refused when it has unpacked to the limit, not after it. */
function inflate(packed: Buffer): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: maxUnpackedBytes });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") {
      const message = `${packed.length} bytes unpack to more than ${maxUnpackedBytes}`;
      throw new FrameError("FRAME_TOO_LARGE", message, { cause: error });
    }
    throw corrupt("it cannot be decompressed", error);
  }
}

function readMember(reader: Reader): FrameMember {
  const flags = reader.uint16();
  if ((flags & ~knownMemberFlags) !== 0) {
    throw new FrameError("FRAME_VERSION", `a member with fields that version ${frameVersion} does not have, ${flags}`);
  }
  const has = (flag: number) => (flags & flag) !== 0;
  if (has(MemberFlag.isUtf8) && has(MemberFlag.isUnspecified)) throw corrupt("a payload of both formats");
  return {
    id: toUuid(reader.raw(16)),
    receivedAt: reader.uint48(),
    topic: reader.text(),
    ...(has(MemberFlag.isUtf8) ? { payloadFormat: "UTF8_DATA" } : {}),
    ...(has(MemberFlag.isUnspecified) ? { payloadFormat: "UNSPECIFIED_BYTES" } : {}),
    ...(has(MemberFlag.contentType) ? { contentType: reader.text() } : {}),
    ...(has(MemberFlag.responseTopic) ? { responseTopic: reader.text() } : {}),
    ...(has(MemberFlag.correlationData) ? { correlationData: reader.field() } : {}),
    ...(has(MemberFlag.userProperties) ? { userProperties: readUserProperties(reader) } : {}),
    ...(has(MemberFlag.refusal) ? { refusal: readRefusal(reader) } : {}),
    payload: reader.raw(reader.uint32()),
  };
}

function readUserProperties(reader: Reader): readonly HeaderField[] {
  const count = reader.uint16();
  const properties: HeaderField[] = [];
  for (let left = count; left > 0; left -= 1) properties.push([reader.text(), reader.text()]);
  return properties;
}

function readRefusal(reader: Reader): Refusal {
  const refusal = { reason: reader.text(), detail: reader.text(), part: reader.uint8(), parts: reader.uint8() };
  if (refusal.part >= refusal.parts) throw corrupt(`part ${refusal.part} of ${refusal.parts}`);
  return refusal;
}

function toUuid(bytes: Buffer): string {
  const digits = bytes.toString("hex");
  return [0, 8, 12, 16, 20].map((start, index) => digits.slice(start, [8, 12, 16, 20, 32][index])).join("-");
}

function corrupt(problem: string, cause?: unknown): FrameError {
  return new FrameError("FRAME_CORRUPT", problem, { cause });
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads what is there, and nothing behind it. */
class Reader {
  readonly #bytes: Buffer;
  #start = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#start === this.#bytes.length;
  }

  uint8(): number {
    return this.raw(1).readUInt8();
  }

  uint16(): number {
    return this.raw(2).readUInt16BE();
  }

  uint32(): number {
    return this.raw(4).readUInt32BE();
  }

  uint48(): number {
    return this.raw(6).readUIntBE(0, 6);
  }

  text(): string {
    const bytes = this.field();
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw corrupt("a text that is not UTF-8", error);
    }
  }

  field(): Buffer {
    return this.raw(this.uint16());
  }

  raw(length: number): Buffer {
    const end = this.#start + length;
    if (end > this.#bytes.length) throw corrupt("it is cut short");
    const bytes = this.#bytes.subarray(this.#start, end);
    this.#start = end;
    return bytes;
  }
}
