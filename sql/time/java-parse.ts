import { type Fields, instantOfFields, type NumberField } from "./java-fields.ts";
import {
  type NumberReader,
  type Reader,
  readDayName,
  readMonthName,
  readName,
  readNumber,
  readOffset,
  readText,
  readZone,
} from "./java-readers.ts";
import { type PatternToken, patternTokens } from "./pattern-tokens.ts";
import { instantOf } from "./zone.ts";

/** The milliseconds since 1970 that a text tells; undefined when it does not follow the pattern, or tells no date. */
export type Parse = (text: string) => number | undefined;

/**
 * Compiles a pattern of java.time, with English names, for reading.
 *
 * @returns undefined for what is no pattern, and for one with what is not covered: weeks, quarters, padding
 * @see https://docs.oracle.com/en/java/javase/11/docs/api/java.base/java/time/format/DateTimeFormatter.html
 */
export function javaParse(pattern: string): Parse | undefined {
  const tokens = patternTokens(pattern);
  const read = tokens && compileSequence(tokens);
  if (read === undefined) return undefined;
  return (text) => {
    const fields: Fields = { numbers: new Map(), zone: undefined };
    return read(text, 0, fields) === text.length ? instantOfFields(fields, instantOf) : undefined;
  };
}

type Element = Reader | NumberReader;

/** Sections in brackets may be absent, and nest. */
function compileSequence(tokens: readonly PatternToken[]): Reader | undefined {
  const levels: Element[][] = [[]];
  for (const token of tokens) {
    const isBracket = token.kind === "text" && (token.text === "[" || token.text === "]");
    if (isBracket && token.text === "[") levels.push([]);
    else if (isBracket) {
      const section = levels.pop() ?? [];
      const outer = levels.at(-1);
      if (outer === undefined) return undefined;
      outer.push(optional(sequence(section)));
    } else {
      const element = token.kind === "text" ? text(token.text) : compileLetters(token);
      if (element === undefined) return undefined;
      levels.at(-1)?.push(element);
    }
  }
  // Java takes an open bracket as closed by the end.
  return levels.map(sequence).reduceRight((inner, outer) => concatenate(outer, optional(inner)));
}

/** Java keeps these for later. */
function text(expected: string): Reader | undefined {
  return expected === "{" || expected === "}" || expected === "#" ? undefined : readText(expected);
}

function sequence(elements: readonly Element[]): Reader {
  const readers = elements.map((element, place) =>
    typeof element === "function" ? element : readNumber(element, reservedBehind(elements, place)),
  );
  return (input, index, fields) => {
    let position: number | undefined = index;
    for (const read of readers) {
      position = read(input, position, fields);
      if (position === undefined) return undefined;
    }
    return position;
  };
}

function concatenate(first: Reader, second: Reader): Reader {
  return (input, index, fields) => {
    const middle = first(input, index, fields);
    return middle === undefined ? undefined : second(input, middle, fields);
  };
}

function optional(read: Reader): Reader {
  return (input, index, fields) => {
    const attempt: Fields = { numbers: new Map(fields.numbers), zone: fields.zone };
    const end = read(input, index, attempt);
    if (end === undefined) return index;
    for (const [field, value] of attempt.numbers) fields.numbers.set(field, value);
    fields.zone = attempt.zone;
    return end;
  };
}

/** The digits of numbers of a fixed width right behind one that has none: `yyyyMMdd`. */
function reservedBehind(elements: readonly Element[], place: number): number {
  let reserved = 0;
  for (const element of elements.slice(place + 1)) {
    if (typeof element === "function" || element.minimum !== element.maximum) break;
    reserved += element.minimum;
  }
  return reserved;
}

function compileLetters({ letter, count }: Extract<PatternToken, { kind: "letters" }>): Element | undefined {
  return Object.hasOwn(LETTERS, letter) ? LETTERS[letter]?.(count) : undefined;
}

const LETTERS: Readonly<Record<string, (count: number) => Element | undefined>> = {
  G: (count) => readName("era", count === 4 ? ["Before Christ", "Anno Domini"] : ["BC", "AD"]),
  u: year("year"),
  y: year("yearOfEra"),
  M: month,
  L: month,
  d: small("dayOfMonth"),
  D: (count) => (count > 3 ? undefined : { ...variable("dayOfYear", count), maximum: count === 1 ? 19 : 3 }),
  E: (count) => (count > 5 ? undefined : readDayName(count)),
  a: (count) => (count > 1 ? undefined : readName("halfday", ["AM", "PM"])),
  h: small("clockHourOfHalfday"),
  K: small("hourOfHalfday"),
  k: small("clockHour"),
  H: small("hour"),
  m: small("minute"),
  s: small("second"),
  S: (count) =>
    count > 9
      ? undefined
      : { ...fixed("nano", count), convert: (value, digits) => Math.round(value * 10 ** (9 - digits)) },
  A: (count) => variable("milliOfDay", count),
  n: (count) => variable("nano", count),
  N: (count) => variable("nanoOfDay", count),
  V: (count) => (count === 2 ? readZone(false) : undefined),
  z: (count) => (count > 4 ? undefined : readZone(true)),
  O: (count) =>
    count === 1 || count === 4 ? readOffset(/(?:GMT)?([+-])(\d{1,2})(?::(\d{2}))?/, undefined) : undefined,
  X: (count) => offset(count, "Z"),
  x: (count) => offset(count, undefined),
  Z: (count) => {
    if (count === 5) return offset(5, "Z");
    return count === 4 ? readOffset(/GMT([+-])(\d{2}):(\d{2})/, "GMT") : offset(count > 5 ? 0 : 2, undefined);
  },
};

const OFFSETS: readonly RegExp[] = [
  /([+-])(\d{2})(\d{2})?(?!\d)/,
  /([+-])(\d{2})(\d{2})/,
  /([+-])(\d{2}):(\d{2})/,
  /([+-])(\d{2})(\d{2})(\d{2})?(?!\d)/,
  /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/,
];

function offset(count: number, zero: string | undefined): Reader | undefined {
  const pattern = OFFSETS[count - 1];
  return pattern && readOffset(pattern, zero);
}

function variable(field: NumberField, minimum: number): NumberReader {
  return { field, minimum, maximum: 19, sign: "never" };
}

function fixed(field: NumberField, digits: number): NumberReader {
  return { field, minimum: digits, maximum: digits, sign: "never" };
}

/** One letter is a number of any width, two are two digits. */
function small(field: NumberField): (count: number) => NumberReader | undefined {
  return (count) => {
    if (count > 2) return undefined;
    return count === 2 ? fixed(field, 2) : { ...variable(field, 1), sign: "normal" };
  };
}

function year(field: "year" | "yearOfEra"): (count: number) => NumberReader {
  return (count) => {
    if (count === 2) return { ...fixed(field, 2), convert: (value) => 2000 + value };
    return { ...variable(field, count), sign: count < 4 ? "normal" : "exceedsPad" };
  };
}

function month(count: number): Element | undefined {
  if (count < 3) return small("month")(count);
  return count > 5 ? undefined : readMonthName(count);
}
