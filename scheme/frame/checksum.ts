import { crc32 } from "node:zlib";

/** CRC-32 of a frame's header before the checksum, and of its body before compression. */
export function checksum(header: Uint8Array, body: Uint8Array): number {
  return crc32(body, crc32(header.subarray(0, 4)));
}
