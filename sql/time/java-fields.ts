import { findZone, type Zone } from "./zone.ts";

/** Numbers that a text has been read to, by what they mean. */
export type NumberField =
  | "era" // 0 before Christ, 1 after
  | "year" // 0 is 1 BC
  | "yearOfEra"
  | "month"
  | "dayOfMonth"
  | "dayOfYear"
  | "dayOfWeek"
  | "halfday" // 0 AM, 1 PM
  | "clockHourOfHalfday"
  | "hourOfHalfday"
  | "clockHour"
  | "hour"
  | "minute"
  | "second"
  | "nano"
  | "milliOfDay"
  | "nanoOfDay"
  | "offset"; // milliseconds

export interface Fields {
  readonly numbers: Map<NumberField, number>;
  zone: Zone | undefined;
}

const RANGES: readonly (readonly [field: NumberField, minimum: number, maximum: number])[] = [
  ["year", -271_820, 275_759], // those of a Date, so that every offset fits
  ["yearOfEra", 1, 275_759],
  ["month", 1, 12],
  ["dayOfMonth", 1, 31],
  ["dayOfYear", 1, 366],
  ["clockHourOfHalfday", 1, 12],
  ["hourOfHalfday", 0, 11],
  ["clockHour", 1, 24],
  ["hour", 0, 24], // 24:00 is the end of the day
  ["minute", 0, 59],
  ["second", 0, 59],
  ["milliOfDay", 0, 86_399_999],
  ["nanoOfDay", 0, 86_399_999_999_999],
];

/**
 * The instant that the fields tell, as Java's smart resolver does: 31 April is the 30th, 24:00 the next day. A date
 * without a time is its first moment, a time without a zone is in UTC.
 *
 * @returns undefined where they contradict each other, or tell no date
 */
export function instantOfFields({ numbers, zone }: Fields, resolve: (local: number, zone: Zone) => number) {
  for (const [field, minimum, maximum] of RANGES) {
    const value = numbers.get(field);
    if (value !== undefined && (value < minimum || value > maximum)) return undefined;
  }
  const date = dateOf(numbers);
  const time = timeOf(numbers);
  if (date === undefined || time === undefined) return undefined;
  const dayOfWeek = numbers.get("dayOfWeek");
  if (dayOfWeek !== undefined && dayOfWeek !== (new Date(date).getUTCDay() || 7)) return undefined;
  const offset = numbers.get("offset");
  if (offset !== undefined) return date + time - offset;
  const inZone = zone ?? findZone("UTC");
  return inZone && resolve(date + time, inZone);
}

function dateOf(numbers: Fields["numbers"]): number | undefined {
  const yearOfEra = numbers.get("yearOfEra");
  const isBeforeChrist = numbers.get("era") === 0;
  const year = numbers.get("year") ?? (isBeforeChrist && yearOfEra !== undefined ? 1 - yearOfEra : yearOfEra);
  if (year === undefined) return undefined;
  const dayOfYear = numbers.get("dayOfYear");
  if (dayOfYear !== undefined) {
    const date = new Date(dayInYear(year, 0, dayOfYear));
    return date.getUTCFullYear() === year ? date.getTime() : undefined;
  }
  const month = numbers.get("month");
  const day = numbers.get("dayOfMonth");
  if (month === undefined || day === undefined) return undefined;
  const lastDay = new Date(dayInYear(year, month, 0)).getUTCDate();
  return dayInYear(year, month - 1, Math.min(day, lastDay));
}

function dayInYear(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}

/** Milliseconds of the day; undefined for `h` without `a`, and for minutes without an hour. */
function timeOf(numbers: Fields["numbers"]): number | undefined {
  const ofDay = numbers.get("milliOfDay") ?? (numbers.get("nanoOfDay") ?? Number.NaN) / 1e6;
  if (!Number.isNaN(ofDay)) return Math.floor(ofDay);
  const [minute = 0, second = 0, nano = 0] = (["minute", "second", "nano"] as const).map((field) => numbers.get(field));
  const hour = hourOf(numbers);
  if (hour === undefined) {
    const isTold = ["minute", "second", "nano", "hourOfHalfday", "clockHourOfHalfday", "halfday"] as const;
    return isTold.some((field) => numbers.has(field)) ? undefined : 0;
  }
  const rest = (minute * 60 + second) * 1000 + Math.floor(nano / 1e6);
  return hour === 24 && rest > 0 ? undefined : hour * 3_600_000 + rest;
}

function hourOf(numbers: Fields["numbers"]): number | undefined {
  const hour = numbers.get("hour");
  const clockHour = numbers.get("clockHour");
  if (hour !== undefined || clockHour !== undefined) return hour ?? (clockHour ?? 0) % 24;
  const halfday = numbers.get("halfday");
  const ofHalfday = numbers.get("hourOfHalfday") ?? numbers.get("clockHourOfHalfday");
  return halfday === undefined || ofHalfday === undefined ? undefined : (ofHalfday % 12) + 12 * halfday;
}
