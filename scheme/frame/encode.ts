import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
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
  memberHeaderBytes,
} from "./frame.ts";
import { FrameError } from "./frame-error.ts";

/** Longest field with a length of two bytes, which is also MQTT's longest (MQTT 5 §1.5.4). */
const maxFieldBytes = 65_535;

/**
 * Makes a frame, compressed where that is shorter.
 *
 * @throws {FrameError} `FRAME_EMPTY`, `FRAME_TOO_LARGE`; `FRAME_CORRUPT` for a field that MQTT could not carry.
 */
export function encodeFrame({ qos, members }: Frame): Buffer {
  if (members.length === 0) throw new FrameError("FRAME_EMPTY", "a frame has at least one member");
  if (members.length > maxFrameMembers) {
    throw new FrameError("FRAME_TOO_LARGE", `${members.length} members, the limit is ${maxFrameMembers}`);
  }
  const size = members.reduce((sum, member) => sum + memberBytes(member), 0);
  if (size > maxUnpackedBytes) {
    throw new FrameError("FRAME_TOO_LARGE", `${size} bytes before compression, the limit is ${maxUnpackedBytes}`);
  }
  const writer = new Writer(size);
  for (const member of members) writeMember(writer, member);
  const body = writer.bytes;
  const deflated = deflateRawSync(body);
  const isDeflated = deflated.length < body.length;
  const header = Buffer.alloc(frameHeaderBytes);
  header.write("TF", "latin1");
  header[2] = frameVersion;
  header[3] = (isDeflated ? FrameFlag.isDeflated : 0) | (qos === 1 ? FrameFlag.isQos1 : 0);
  header.writeUInt32BE(checksum(header, body), 4);
  return Buffer.concat([header, isDeflated ? deflated : body]);
}

/** Bytes of a member before compression. */
export function memberBytes(member: FrameMember): number {
  const { topic, payload, contentType, responseTopic, correlationData, userProperties, refusal } = member;
  let bytes = memberHeaderBytes + Buffer.byteLength(topic) + payload.length;
  if (contentType !== undefined) bytes += 2 + Buffer.byteLength(contentType);
  if (responseTopic !== undefined) bytes += 2 + Buffer.byteLength(responseTopic);
  if (correlationData !== undefined) bytes += 2 + correlationData.length;
  if (userProperties !== undefined) {
    bytes += 2;
    for (const [key, value] of userProperties) bytes += 4 + Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (refusal !== undefined) bytes += 6 + Buffer.byteLength(refusal.reason) + Buffer.byteLength(refusal.detail);
  return bytes;
}

function writeMember(writer: Writer, member: FrameMember): void {
  const { id, receivedAt, topic, contentType, responseTopic, correlationData, userProperties, refusal } = member;
  writer.uint16(flagsOf(member));
  writer.raw(Buffer.from(id.replaceAll("-", ""), "hex"), 16);
  writer.uint48(receivedAt);
  writer.text(topic);
  if (contentType !== undefined) writer.text(contentType);
  if (responseTopic !== undefined) writer.text(responseTopic);
  if (correlationData !== undefined) writer.field(correlationData);
  if (userProperties !== undefined) {
    writer.uint16(userProperties.length);
    for (const [key, value] of userProperties) {
      writer.text(key);
      writer.text(value);
    }
  }
  if (refusal !== undefined) {
    writer.text(refusal.reason);
    writer.text(refusal.detail);
    writer.uint8(refusal.part);
    writer.uint8(refusal.parts);
  }
  writer.uint32(member.payload.length);
  writer.raw(member.payload, member.payload.length);
}

function flagsOf({ payloadFormat, ...member }: FrameMember): number {
  return (
    (payloadFormat === "UTF8_DATA" ? MemberFlag.isUtf8 : 0) |
    (payloadFormat === "UNSPECIFIED_BYTES" ? MemberFlag.isUnspecified : 0) |
    (member.contentType === undefined ? 0 : MemberFlag.contentType) |
    (member.responseTopic === undefined ? 0 : MemberFlag.responseTopic) |
    (member.correlationData === undefined ? 0 : MemberFlag.correlationData) |
    (member.userProperties === undefined ? 0 : MemberFlag.userProperties) |
    (member.refusal === undefined ? 0 : MemberFlag.refusal)
  );
}

/** Writes into bytes that were counted before. */
class Writer {
  readonly bytes: Buffer;
  #end = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  uint8(value: number): void {
    this.#end = this.bytes.writeUInt8(value, this.#end);
  }

  uint16(value: number): void {
    this.#end = this.bytes.writeUInt16BE(value, this.#end);
  }

  uint32(value: number): void {
    this.#end = this.bytes.writeUInt32BE(value, this.#end);
  }

  uint48(value: number): void {
    this.#end = this.bytes.writeUIntBE(value, this.#end, 6);
  }

  text(value: string): void {
    const start = this.#end + 2;
    const length = this.bytes.write(value, start);
    checkField(length);
    this.uint16(length);
    this.#end = start + length;
  }

  field(value: Uint8Array): void {
    checkField(value.length);
    this.uint16(value.length);
    this.raw(value, value.length);
  }

  raw(value: Uint8Array, length: number): void {
    if (value.length !== length) throw new FrameError("FRAME_CORRUPT", "a member's id is no UUID");
    this.bytes.set(value, this.#end);
    this.#end += length;
  }
}

function checkField(length: number): void {
  if (length <= maxFieldBytes) return;
  throw new FrameError("FRAME_CORRUPT", `a field of ${length} bytes, the limit is ${maxFieldBytes}`);
}
