import { Buffer } from "node:buffer";

const BLOCK_BYTES = 16;
const ROUNDS = 18;

/** MD2 of a text's UTF-8 bytes in hexadecimal (RFC 1319), which OpenSSL has no more. Broken: to match old systems only. */
export function md2(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  const padding = BLOCK_BYTES - (bytes.length % BLOCK_BYTES);
  const message = Buffer.concat([bytes, Buffer.alloc(padding, padding)]);
  const state = new Uint8Array(3 * BLOCK_BYTES);
  const checksum = new Uint8Array(BLOCK_BYTES);
  for (let start = 0; start < message.length; start += BLOCK_BYTES) {
    const block = message.subarray(start, start + BLOCK_BYTES);
    addToChecksum(checksum, block);
    compress(state, block);
  }
  compress(state, checksum);
  return Buffer.from(state.subarray(0, BLOCK_BYTES)).toString("hex");
}

function addToChecksum(checksum: Uint8Array, block: Uint8Array): void {
  let last = checksum[BLOCK_BYTES - 1] ?? 0;
  for (const [place, byte] of block.entries()) {
    last = (checksum[place] ?? 0) ^ (SUBSTITUTION[byte ^ last] ?? 0);
    checksum[place] = last;
  }
}

function compress(state: Uint8Array, block: Uint8Array): void {
  for (const [place, byte] of block.entries()) {
    state[BLOCK_BYTES + place] = byte;
    state[2 * BLOCK_BYTES + place] = byte ^ (state[place] ?? 0);
  }
  let previous = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let place = 0; place < state.length; place += 1) {
      previous = (state[place] ?? 0) ^ (SUBSTITUTION[previous] ?? 0);
      state[place] = previous;
    }
    previous = (previous + round) % 256;
  }
}

/** RFC 1319 §3.2: a permutation of the bytes, made of the digits of π. */
const SUBSTITUTION = Buffer.from(
  "292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca" +
    "1e9b573cfdd4e01667426f188a17e512be4ec4d6da9ede49a0fbf58ebb2fee7a" +
    "a968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703" +
    "ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1" +
    "459d705964718720865bcf65e62da8021b6025adaeb0b9f61c46616934407e0f" +
    "5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52" +
    "6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39" +
    "f2efb70e6658d0e4a67772f8eb754b0a314450b48fed1f1adb998d339f118314",
  "hex",
);
