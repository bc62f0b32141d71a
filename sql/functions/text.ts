import { Buffer } from "node:buffer";
import { joinTexts, MAX_TEXT_LENGTH, toText, Undefined, type Value } from "../value.ts";
import { type FunctionTable, ofTexts, type SqlFunction, toIndex } from "./function.ts";

const SINCE_2016 = { since: "2016-03-23" } as const;

/** lpad and rpad set counts outside of 0 … 1000 to the nearest of them. */
const MAX_PADDING = 1000;

/** chr knows the characters of ASCII. */
const MAX_ASCII = 127;

export const textFunctions: FunctionTable = {
  chr: { arity: [1, 1], apply: (_context, code = Undefined) => character(toIndex(code)) },
  endswith: ofTexts(2, (text, suffix) => text.endsWith(suffix)),
  indexof: { ...ofTexts(2, (text, part) => text.indexOf(part)), ...SINCE_2016 },
  // UTF-16 code units, as Java counts; the reference says "characters".
  length: { ...ofTexts(1, (text) => text.length), ...SINCE_2016 },
  lower: ofTexts(1, (text) => text.toLowerCase()),
  lpad: padding((text, spaces) => spaces + text),
  ltrim: ofTexts(1, (text) => text.slice(leadingBlanks(text))),
  numbytes: { ...ofTexts(1, (text) => Buffer.byteLength(text, "utf8")), ...SINCE_2016 },
  replace: ofTexts(3, replace),
  rpad: padding((text, spaces) => text + spaces),
  rtrim: ofTexts(1, (text) => text.slice(0, text.length - trailingBlanks(text))),
  startswith: ofTexts(2, (text, prefix) => text.startsWith(prefix)),
  substring: {
    arity: [2, 3],
    apply: (_context, value = Undefined, from = Undefined, to) => substring(value, from, to),
  },
  trim: ofTexts(1, (text) => text.trim()),
  upper: ofTexts(1, (text) => text.toUpperCase()),
};

function character(code: number | Undefined): Value {
  return code === Undefined || code < 0 || code > MAX_ASCII ? Undefined : String.fromCharCode(code);
}

/** As in Java the empty part is found before, between and behind all characters. */
function replace(text: string, part: string, replacement: string): Value {
  if (part === "") {
    const isTooLong = (text.length + 1) * (replacement.length + 1) > 2 * MAX_TEXT_LENGTH;
    return isTooLong ? Undefined : joinTexts(["", ...text, ""], replacement);
  }
  // Not replaceAll, for which a $ of the replacement has a meaning, and which takes twice as long.
  let replaced = "";
  let from = 0;
  for (let index = text.indexOf(part); index >= 0; index = text.indexOf(part, from)) {
    replaced += text.slice(from, index) + replacement;
    if (replaced.length > MAX_TEXT_LENGTH) return Undefined;
    from = index + part.length;
  }
  replaced += text.slice(from);
  return replaced.length > MAX_TEXT_LENGTH ? Undefined : replaced;
}

function padding(pad: (text: string, spaces: string) => string): SqlFunction {
  return {
    arity: [2, 2],
    apply: (_context, value = Undefined, count = Undefined) => {
      const text = toText(value);
      const spaces = toIndex(count);
      if (text === Undefined || spaces === Undefined) return Undefined;
      return pad(text, " ".repeat(Math.min(Math.max(spaces, 0), MAX_PADDING)));
    },
  };
}

/** From an index up to another; both are brought into the text, and a crossed pair gives the empty text. */
function substring(value: Value, from: Value, to: Value | undefined): Value {
  const text = toText(value);
  const start = toIndex(from);
  const end = to === undefined ? Number.POSITIVE_INFINITY : toIndex(to);
  if (text === Undefined || start === Undefined || end === Undefined) return Undefined;
  return text.slice(Math.max(start, 0), Math.max(end, 0));
}

// Loops, because / +$/ takes quadratic time over a long run of blanks that is not at the end.

function leadingBlanks(text: string): number {
  let count = 0;
  while (text[count] === " " || text[count] === "\t") count += 1;
  return count;
}

function trailingBlanks(text: string): number {
  let count = 0;
  while (text.at(-1 - count) === " " || text.at(-1 - count) === "\t") count += 1;
  return count;
}
