import type { Fields, NumberField } from "./java-fields.ts";
import { DAYS, MONTHS, shortened } from "./names.ts";
import { findZone } from "./zone.ts";

/** Reads a part of a text from an index on. @returns the index behind it, undefined where it does not stand there */
export type Reader = (text: string, index: number, fields: Fields) => number | undefined;

/** A number; neighbours without anything between them share the digits. */
export interface NumberReader {
  readonly field: NumberField;
  readonly minimum: number;
  readonly maximum: number;
  readonly sign: "never" | "normal" | "exceedsPad";
  /** What is made of the digits: `yy` counts from 2000, `S` is a part of a second. */
  readonly convert?: (value: number, digits: number) => number;
}

/** Java refuses what has more digits in a `long`, and so is Undefined. */
const MAX_DIGITS = 19;

export function readText(expected: string): Reader {
  return (text, index) => (text.startsWith(expected, index) ? index + expected.length : undefined);
}

/** @param reserved digits that the numbers right behind it need */
export function readNumber({ field, minimum, maximum, sign, convert }: NumberReader, reserved = 0): Reader {
  return (text, index, fields) => {
    const mark = text[index] ?? "";
    const isSigned = mark === "-" ? sign !== "never" : mark === "+" && sign === "exceedsPad";
    const start = isSigned ? index + 1 : index;
    const available = digitsAt(text, start, MAX_DIGITS);
    const count = Math.min(maximum, Math.max(minimum, available - reserved));
    if (available < minimum || count > available) return undefined;
    // A year of more digits than the pattern has letters is told by its plus.
    if (sign === "exceedsPad" && mark !== "-" && (mark === "+") !== count > minimum) return undefined;
    const value = Number(text.slice(start, start + count));
    const converted = convert === undefined ? value : convert(value, count);
    return set(fields, field, mark === "-" ? -converted : converted) ? start + count : undefined;
  };
}

function digitsAt(text: string, start: number, maximum: number): number {
  let count = 0;
  while (count < maximum && /\d/.test(text[start + count] ?? "")) count += 1;
  return count;
}

/** A field that is there twice has to have one value. */
function set({ numbers }: Fields, field: NumberField, value: number): boolean {
  const present = numbers.get(field);
  numbers.set(field, value);
  return present === undefined || present === value;
}

/** One of several names, whose places are numbers from `first` on. */
export function readName(field: NumberField, names: readonly string[], first = 0): Reader {
  // The longer ones first: `Mon` begins `Monday`.
  const byLength = [...names.entries()].toSorted(([, a], [, b]) => b.length - a.length);
  return (text, index, fields) => {
    const found = byLength.find(([, name]) => text.startsWith(name, index));
    return found && set(fields, field, first + found[0]) ? index + found[1].length : undefined;
  };
}

/** Three letters are the short name, four the whole one, five its first letter. */
export function readMonthName(count: number): Reader {
  return readName("month", count === 4 ? MONTHS : shortened(MONTHS, count === 5 ? 1 : 3), 1);
}

export function readDayName(count: number): Reader {
  return readName("dayOfWeek", count === 4 ? DAYS : shortened(DAYS, count === 5 ? 1 : 3), 1);
}

/** @param pattern of hours, minutes and seconds, which may be absent from the end; `zero` also stands for no offset */
export function readOffset(pattern: RegExp, zero?: string): Reader {
  const sticky = new RegExp(pattern.source, "y");
  return (text, index, fields) => {
    sticky.lastIndex = index;
    const match = sticky.exec(text);
    if (match === null) {
      const isZero = zero !== undefined && text.startsWith(zero, index);
      return isZero && set(fields, "offset", 0) ? index + zero.length : undefined;
    }
    const offset = findZone(`${match[1]}${match[2]?.padStart(2, "0")}${match[3] ?? "00"}${match[4] ?? ""}`);
    return offset && set(fields, "offset", offset.offsetAt(0)) ? index + match[0].length : undefined;
  };
}

/** Abbreviations that Java reads, and the zone it takes them for. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  ...{ AKST: "America/Anchorage", AKDT: "America/Anchorage", HST: "Pacific/Honolulu" },
  ...{ PST: "America/Los_Angeles", PDT: "America/Los_Angeles", MST: "America/Denver", MDT: "America/Denver" },
  ...{ CST: "America/Chicago", CDT: "America/Chicago", EST: "America/New_York", EDT: "America/New_York" },
  ...{ BST: "Europe/London", WET: "Europe/Lisbon", WEST: "Europe/Lisbon", CET: "Europe/Paris", CEST: "Europe/Paris" },
  ...{ EET: "Europe/Bucharest", EEST: "Europe/Bucharest", MSK: "Europe/Moscow", IST: "Asia/Kolkata" },
  ...{ JST: "Asia/Tokyo", KST: "Asia/Seoul", AEST: "Australia/Sydney", AEDT: "Australia/Sydney" },
  ...{ NZST: "Pacific/Auckland", NZDT: "Pacific/Auckland" },
};

const ZONE = /(?:UTC|GMT|UT)?[+-]\d{1,2}(?::?\d{2}(?::?\d{2})?)?(?!\d)|[A-Za-z][A-Za-z0-9_/+-]*/y;

/** A zone's id; `z` also reads abbreviations. */
export function readZone(abbreviations: boolean): Reader {
  return (text, index, fields) => {
    ZONE.lastIndex = index;
    const id = ZONE.exec(text)?.[0];
    if (id === undefined) return undefined;
    const isShort = abbreviations && Object.hasOwn(ABBREVIATIONS, id);
    fields.zone = findZone(isShort ? (ABBREVIATIONS[id] ?? id) : id);
    return fields.zone && index + id.length;
  };
}
