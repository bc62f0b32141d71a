import { DAYS, MONTHS } from "./names.ts";
import { patternTokens } from "./pattern-tokens.ts";
import { formatOffset, type Zone } from "./zone.ts";

/** An instant with its local time, whose UTC fields are the zone's. */
interface Moment {
  readonly instant: number;
  readonly local: Date;
  readonly offset: number;
  readonly zone: Zone;
}

type Part = (moment: Moment) => string;

/** Writes an instant in a zone; undefined for one that no date reaches, ±271,821 years from now. */
export type Format = (instant: number, zone: Zone) => string | undefined;

/**
 * Compiles a pattern of Joda-Time, with English names.
 *
 * @returns undefined for what is no pattern
 * @see https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html
 */
export function jodaFormat(pattern: string): Format | undefined {
  const parts = patternTokens(pattern)?.map((token): Part | undefined => {
    if (token.kind === "text") return () => token.text;
    return Object.hasOwn(FIELDS, token.letter) ? FIELDS[token.letter]?.(token.count) : undefined;
  });
  if (parts === undefined) return undefined;
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  return (instant, zone) => {
    if (!isDate(instant)) return undefined;
    const offset = zone.offsetAt(instant);
    const local = new Date(instant + offset);
    return isDate(local.getTime()) ? known.map((part) => part({ instant, local, offset, zone })).join("") : undefined;
  };
}

function isDate(instant: number): boolean {
  return !Number.isNaN(new Date(instant).getTime());
}

const FIELDS: Readonly<Record<string, (count: number) => Part>> = {
  G:
    () =>
    ({ local }) =>
      local.getUTCFullYear() > 0 ? "AD" : "BC",
  C: number(({ local }) => Math.trunc(yearOfEra(local) / 100)),
  Y: year(({ local }) => yearOfEra(local)),
  y: year(({ local }) => local.getUTCFullYear()),
  x: year(({ local }) => isoWeek(local).year),
  w: number(({ local }) => isoWeek(local).week),
  e: number(({ local }) => isoDay(local)),
  E: text(DAYS, ({ local }) => isoDay(local) - 1),
  D: number(({ local }) => dayOfYear(local)),
  M: (count) => (count > 2 ? text(MONTHS, month) : number((moment) => month(moment) + 1))(count),
  d: number(({ local }) => local.getUTCDate()),
  a:
    () =>
    ({ local }) =>
      local.getUTCHours() < 12 ? "AM" : "PM",
  K: number(({ local }) => local.getUTCHours() % 12),
  h: number(({ local }) => local.getUTCHours() % 12 || 12),
  H: number(({ local }) => local.getUTCHours()),
  k: number(({ local }) => local.getUTCHours() || 24),
  m: number(({ local }) => local.getUTCMinutes()),
  s: number(({ local }) => local.getUTCSeconds()),
  S: fraction,
  z: (count) => (moment) => (count > 3 ? moment.zone.longName(moment.instant) : moment.zone.shortName(moment.instant)),
  Z: offsetText,
};

function month({ local }: Moment): number {
  return local.getUTCMonth();
}

function number(read: (moment: Moment) => number): (count: number) => Part {
  return (count) => (moment) => padded(read(moment), count);
}

/** Two letters are the last two digits. */
function year(read: (moment: Moment) => number): (count: number) => Part {
  return (count) => (moment) => padded(count === 2 ? Math.abs(read(moment)) % 100 : read(moment), count);
}

/** Four letters are the whole name, fewer its first three characters. */
function text(names: readonly string[], read: (moment: Moment) => number): (count: number) => Part {
  return (count) => (moment) => {
    const name = names[read(moment)] ?? "";
    return count > 3 ? name : name.slice(0, 3);
  };
}

function fraction(count: number): Part {
  return ({ local }) => padded(local.getUTCMilliseconds(), 3).padEnd(count, "0").slice(0, count);
}

function offsetText(count: number): Part {
  if (count > 2) return ({ zone }) => zone.id;
  return (moment) => formatOffset(moment.offset, count === 1 ? "" : ":");
}

function padded(value: number, digits: number): string {
  return (value < 0 ? "-" : "") + String(Math.abs(value)).padStart(digits, "0");
}

function yearOfEra(local: Date): number {
  const proleptic = local.getUTCFullYear();
  return proleptic > 0 ? proleptic : 1 - proleptic;
}

function isoDay(local: Date): number {
  return local.getUTCDay() || 7;
}

function dayOfYear(local: Date): number {
  return Math.floor((startOfDay(local) - startOfYear(local.getUTCFullYear())) / 86_400_000) + 1;
}

/** A week belongs to the year of its Thursday (ISO 8601). */
function isoWeek(local: Date): { year: number; week: number } {
  const thursday = new Date(startOfDay(local) + (4 - isoDay(local)) * 86_400_000);
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) };
}

function startOfDay(local: Date): number {
  return Math.floor(local.getTime() / 86_400_000) * 86_400_000;
}

function startOfYear(fullYear: number): number {
  return new Date(0).setUTCFullYear(fullYear, 0, 1);
}
