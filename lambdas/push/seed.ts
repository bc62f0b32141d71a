import { createHash, randomBytes } from "node:crypto";
import type { Seed } from "../store/idempotency-keys.ts";

/** @param now Milliseconds since 1970. */
export function newSeed(now: number): Seed {
  return { id: uuidV7(now, randomBytes(10)), issuedAt: now };
}

/** An id for one of the things that a request makes: the same at every try, and of the same time as its seed. */
export function derivedId(seed: Seed, part: string): string {
  return uuidV7(seed.issuedAt, createHash("sha256").update(`${seed.id} ${part}`).digest());
}

/** RFC 9562 §5.7: 48 bits of milliseconds, then version, variant and 74 bits of ten bytes. */
function uuidV7(milliseconds: number, bytes: Uint8Array): string {
  const hex = Buffer.alloc(16);
  hex.writeUIntBE(milliseconds, 0, 6);
  hex.set(bytes.subarray(0, 10), 6);
  hex.writeUInt8(((bytes[0] ?? 0) & 0x0f) | 0x70, 6);
  hex.writeUInt8(((bytes[2] ?? 0) & 0x3f) | 0x80, 8);
  return hex.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
