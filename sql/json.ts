import { Buffer, isUtf8 } from "node:buffer";
import { parseNumber } from "./decimal.ts";
import { hasLongNumber } from "./long-number.ts";
import { type JsonValue, Undefined, type Value } from "./value.ts";

/** Payloads nested deeper are not JSON to us: recursion over them has to end. 1 000 is the limit of Jackson (Java). */
const MAX_PAYLOAD_DEPTH = 1000;

/** The JSON value in the bytes, numbers with all their digits; Undefined when they are not JSON. */
export function readJson(payload: Uint8Array): Value {
  if (!isUtf8(payload)) return Undefined;
  const bytes = toBuffer(payload);
  try {
    if (isTooDeep(bytes)) return Undefined;
    const text = bytes.toString("utf8");
    return hasLongNumber(bytes) ? JSON.parse(text, reviveNumber) : JSON.parse(text);
  } catch {
    return Undefined;
  }
}

export function toBase64(bytes: Uint8Array): string {
  return toBuffer(bytes).toString("base64");
}

function toBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function reviveNumber(_key: string, value: JsonValue, context?: { readonly source?: string }): JsonValue {
  if (typeof value !== "number" || context?.source === undefined) return value;
  const number = parseNumber(context.source);
  if (number === undefined) throw new RangeError(`${context.source} is outside the range of a Decimal`);
  return number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// Brackets and braces are two apart, and differ in this bit only: [ { and ] }.
const BRACE_BIT = 0x20;
const OPEN = 0x5b | BRACE_BIT;
const CLOSE = 0x5d | BRACE_BIT;

function isTooDeep(bytes: Uint8Array): boolean {
  if (bytes.length <= 2 * MAX_PAYLOAD_DEPTH || countOpen(bytes) <= MAX_PAYLOAD_DEPTH) return false;
  let depth = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    if (byte === QUOTE) index = endOfString(bytes, index);
    else if ((byte | BRACE_BIT) === OPEN) depth += 1;
    else if ((byte | BRACE_BIT) === CLOSE) depth -= 1;
    if (depth > MAX_PAYLOAD_DEPTH) return true;
  }
  return false;
}

/** Those in strings included: enough to know that most payloads are not deep. */
function countOpen(bytes: Uint8Array): number {
  let count = 0;
  for (let index = 0; index < bytes.length; index += 1) if (((bytes[index] as number) | BRACE_BIT) === OPEN) count += 1;
  return count;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
  return index;
}
