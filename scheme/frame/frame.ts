import type { HeaderField } from "../envelope/header-field.ts";
import type { Qos } from "../scheme.ts";

/**
 * Many messages in one publish: what the relay sends to IoT Core, and `forward` takes apart. The bytes are specified in
 * `docs/frames.md`.
 */
export interface Frame {
  /** Of every message in it. */
  readonly qos: Qos;
  readonly members: readonly FrameMember[];
}

/** A message as the relay took it from the broker. Properties are those of MQTT 5 §3.3.2.3. */
export interface FrameMember {
  /** UUID, the same each time that the relay sends the message: its idempotency key is made of it. */
  readonly id: string;
  /** When the relay took it, in milliseconds since 1970. */
  readonly receivedAt: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly userProperties?: readonly HeaderField[] | undefined;
  readonly contentType?: string | undefined;
  /** In AWS IoT's words; absent where the device has not said. */
  readonly payloadFormat?: "UTF8_DATA" | "UNSPECIFIED_BYTES" | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
  /** Set where IoT Core would not take the message by itself: it is to become a dead letter. */
  readonly refusal?: Refusal | undefined;
}

/** Why a message is not to be delivered. One that is too large for a publish comes in parts, its payload cut. */
export interface Refusal {
  /** A `ReasonCode`. */
  readonly reason: string;
  /** One line for people. */
  readonly detail: string;
  /** Which part of the payload this is, from 0. */
  readonly part: number;
  readonly parts: number;
}

export const frameVersion = 1;

/** Members of a frame at most. */
export const maxFrameMembers = 100;

/** What a frame holds at most before it is compressed: 1 MiB, so that a small publish cannot fill a function's memory. */
export const maxUnpackedBytes = 1_048_576;

/** `TF`, version, flags, CRC-32. */
export const frameHeaderBytes = 8;

/** Bits of the header's flags. */
export const FrameFlag = { isDeflated: 1, isQos1: 2 } as const;

/** Bits that say which fields a member has. The rest are 0. */
export const MemberFlag = {
  isUtf8: 1,
  isUnspecified: 2,
  contentType: 4,
  responseTopic: 8,
  correlationData: 16,
  userProperties: 32,
  refusal: 64,
} as const;

/** Flags, id, time, length of the topic, length of the payload. */
export const memberHeaderBytes = 2 + 16 + 6 + 2 + 4;
