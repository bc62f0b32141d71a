import { MessageError } from "../message-error.ts";

/**
 * Arrays and objects that may stand inside one another in one value. No API that we know of reads as deep (.NET stops
 * at 64, PHP at 512, Python near 1,000), and the memory of it is one byte per level, once.
 */
export const maxNestingLevels = 10_000;

/** Where a member of an object stands: `key` and `value` are indices of first bytes, the others of those after. */
export interface Member {
  readonly key: number;
  readonly keyEnd: number;
  readonly value: number;
  readonly valueEnd: number;
}

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quotationMark = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** What stands behind the last byte: less than any byte, so that `byte < space` refuses it with the control characters. */
const end = -1;

/** The closing bytes of the open arrays and objects. One for all scans: a scan neither waits nor calls back. */
const closers = new Uint8Array(maxNestingLevels + 1);

/**
 * Reads past the JSON value whose first byte is at `from`, without building anything, and returns the index after it.
 *
 * RFC 8259 to the letter, and nothing beyond the grammar: repeated keys, numbers that no double can hold and escaped
 * lone surrogates are values like any other. That the bytes are UTF-8 is for the caller to check, once for all.
 * The scan does not recurse, so no input exhausts the call stack.
 *
 * @throws MessageError ENVELOPE_NOT_JSON, or ENVELOPE_TOO_DEEP past {@link maxNestingLevels}
 */
export function scanValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  for (;;) {
    const first = bytes[at] ?? end;
    if (first === openBrace || first === openBracket) {
      if (depth === maxNestingLevels) throw tooDeep(at);
      const closer = first + 2; // in ASCII, "}" is "{" + 2 and "]" is "[" + 2
      closers[++depth] = closer;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== closer) {
        at = skipKey(bytes, at, closer);
        continue; // with the first value inside
      }
    } else {
      at = scanScalar(bytes, at, first);
      if (depth === 0) return at;
      at = skipSpace(bytes, at);
    }
    // A value has ended here, or an empty array or object is about to.
    while (bytes[at] === closers[depth]) {
      if (--depth === 0) return at + 1;
      at = skipSpace(bytes, at + 1);
    }
    at = skipComma(bytes, at, closers[depth]);
  }
}

/**
 * Reads past the object whose `{` is at `from`: its members in their order, and the index after its `}`.
 *
 * @throws MessageError as {@link scanValue}, whose limit each member's value has for itself
 */
export function scanObject(bytes: Uint8Array, from: number): { readonly members: readonly Member[]; end: number } {
  const members: Member[] = [];
  let at = skipSpace(bytes, from + 1);
  if (bytes[at] === closeBrace) return { members, end: at + 1 };
  for (;;) {
    const key = at;
    const keyEnd = scanString(bytes, key);
    const value = skipColon(bytes, keyEnd);
    const valueEnd = scanValue(bytes, value);
    members.push({ key, keyEnd, value, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === closeBrace) return { members, end: at + 1 };
    if (bytes[at] !== comma) throw notJson(bytes, at, "',' or '}'");
    at = skipSpace(bytes, at + 1);
  }
}

/** The index of the first byte at or after `from` that is no white space (RFC 8259 §2). */
export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at] ?? end;
    if (byte > space || (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab)) return at;
    at++;
  }
}

/** The error for a byte that cannot stand where it does. */
export function notJson(bytes: Uint8Array, at: number, expected: string): MessageError {
  const byte = bytes[at];
  const found = byte === undefined ? "the end" : describe(byte);
  return new MessageError("ENVELOPE_NOT_JSON", `not JSON: ${expected} expected at byte ${at}, found ${found}`);
}

function describe(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, "0")}`;
  return byte > space && byte < 0x7f ? `${hex} (${String.fromCharCode(byte)})` : hex;
}

function tooDeep(at: number): MessageError {
  return new MessageError("ENVELOPE_TOO_DEEP", `more than ${maxNestingLevels} nested arrays and objects at byte ${at}`);
}

/** From the comma at `at` to the next value of an array or object that ends with `closer`. */
function skipComma(bytes: Uint8Array, at: number, closer: number | undefined): number {
  if (bytes[at] !== comma) throw notJson(bytes, at, closer === closeBrace ? "',' or '}'" : "',' or ']'");
  return skipKey(bytes, skipSpace(bytes, at + 1), closer);
}

function skipKey(bytes: Uint8Array, at: number, closer: number | undefined): number {
  return closer === closeBrace ? skipColon(bytes, scanString(bytes, at)) : at;
}

function skipColon(bytes: Uint8Array, from: number): number {
  const at = skipSpace(bytes, from);
  if (bytes[at] !== colon) throw notJson(bytes, at, "':'");
  return skipSpace(bytes, at + 1);
}

function scanScalar(bytes: Uint8Array, from: number, first: number): number {
  switch (first) {
    case quotationMark:
      return scanString(bytes, from);
    case 0x74:
      return scanWord(bytes, from, "true");
    case 0x66:
      return scanWord(bytes, from, "false");
    case 0x6e:
      return scanWord(bytes, from, "null");
    default:
      return scanNumber(bytes, from);
  }
}

function scanString(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== quotationMark) throw notJson(bytes, from, "a string");
  let at = from + 1;
  for (;;) {
    const byte = bytes[at] ?? end;
    if (byte === quotationMark) return at + 1;
    if (byte < space) throw notJson(bytes, at, "the string's next character");
    at = byte === backslash ? scanEscape(bytes, at) : at + 1;
  }
}

function scanEscape(bytes: Uint8Array, from: number): number {
  const letter = String.fromCharCode(bytes[from + 1] ?? 0);
  if (letter !== "u") {
    if ('"\\/bfnrt'.includes(letter)) return from + 2;
    throw notJson(bytes, from + 1, "an escape");
  }
  for (let at = from + 2; at < from + 6; at++) {
    if (!isHexDigit(bytes[at] ?? end)) throw notJson(bytes, at, "a hexadecimal digit");
  }
  return from + 6;
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20; // folds A–F onto a–f; the digits have this bit already
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function scanWord(bytes: Uint8Array, from: number, word: string): number {
  for (let index = 1; index < word.length; index++) {
    if (bytes[from + index] !== word.charCodeAt(index)) throw notJson(bytes, from + index, `'${word}'`);
  }
  return from + word.length;
}

function scanNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  if (at === from && !isDigit(bytes[at] ?? end)) throw notJson(bytes, at, "a value");
  at = bytes[at] === 0x30 ? at + 1 : scanDigits(bytes, at);
  if (bytes[at] === 0x2e) at = scanDigits(bytes, at + 1);
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const sign = bytes[at + 1];
    at = scanDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
  }
  return at;
}

function scanDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at] ?? end)) at++;
  if (at === from) throw notJson(bytes, at, "a digit");
  return at;
}
