import { Buffer, isUtf8 } from "node:buffer";
import { parseNumber } from "./decimal.ts";
import { type JsonValue, Undefined, type Value } from "./value.ts";

/** Payloads nested deeper are not JSON to us: recursion over them has to end. 1 000 is the limit of Jackson (Java). */
const MAX_PAYLOAD_DEPTH = 1000;

/** A number that a double might not hold: 16 digits and more, or an exponent of three digits. */
const LONG_NUMBER = /\d[\d.]{15}|\de[+-]?\d{3}/i;

/** The JSON value in the bytes; Undefined when they are not JSON. */
export function readJson(bytes: Uint8Array): Value {
  if (!isUtf8(bytes)) return Undefined;
  return parseJson(toBuffer(bytes).toString("utf8"));
}

/** The JSON value that the text spells, numbers with all their digits; Undefined when it is not JSON. */
export function parseJson(text: string): Value {
  try {
    if (isTooDeep(text)) return Undefined;
    return LONG_NUMBER.test(text) ? JSON.parse(text, reviveNumber) : JSON.parse(text);
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

function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MAX_PAYLOAD_DEPTH) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfString(text, index);
    else if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    if (depth > MAX_PAYLOAD_DEPTH) return true;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === "\\" ? 2 : 1;
  return index;
}
