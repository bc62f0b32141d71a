import { LruCache } from "../lru-cache.ts";

/** A time zone. Instants are milliseconds since 1970, offsets milliseconds to be added for the local time. */
export interface Zone {
  readonly id: string;
  offsetAt(instant: number): number;
  /** `CST`; where English has no abbreviation for it, `GMT+3`. */
  shortName(instant: number): string;
  /** `Central Standard Time` */
  longName(instant: number): string;
}

const MAX_CACHED = 100;
const cache = new LruCache<Zone | undefined>(MAX_CACHED);

/** The longest id of the time zone database has 32 characters. */
const MAX_ID_LENGTH = 40;

/** A zone of the time zone database (`America/Belize`), `UTC`, or an offset (`+01:00`, `UTC+1`, `Z`). */
export function findZone(id: string): Zone | undefined {
  if (id.length > MAX_ID_LENGTH) return undefined;
  return cache.get(id, () => offsetZone(id) ?? namedZone(id));
}

export const utc: Zone = {
  id: "UTC",
  offsetAt: () => 0,
  shortName: () => "UTC",
  longName: () => "Coordinated Universal Time",
};

const OFFSET = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?$/;
/** Of the time zone database none is beyond 15 hours, of Java none beyond 18. */
const MAX_OFFSET_HOURS = 18;

function offsetZone(id: string): Zone | undefined {
  if (/^(?:Z|UTC|UT|GMT)$/.test(id)) return utc;
  const match = OFFSET.exec(id);
  if (match === null) return undefined;
  const [, sign, hours = 0, minutes = 0, seconds = 0] = match;
  const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  if (Number(minutes) > 59 || Number(seconds) > 59 || offset > MAX_OFFSET_HOURS * 3_600_000) return undefined;
  const signed = sign === "-" ? -offset : offset;
  const name = formatOffset(signed, ":");
  return { id: name, offsetAt: () => signed, shortName: () => name, longName: () => name };
}

/** `+01:00`, `-0330`: hours, minutes, and seconds where there are any. */
export function formatOffset(offset: number, separator: "" | ":"): string {
  const seconds = Math.abs(offset) / 1000;
  const parts = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60, Math.trunc(seconds % 60)];
  const shown = parts.slice(0, parts[2] === 0 ? 2 : 3).map((part) => String(part).padStart(2, "0"));
  return (offset < 0 ? "-" : "+") + shown.join(separator);
}

function namedZone(id: string): Zone | undefined {
  if (!/^[A-Za-z]/.test(id)) return undefined;
  let offsets: Intl.DateTimeFormat;
  try {
    // Some field has to be there with the offset; minutes are the fastest.
    offsets = new Intl.DateTimeFormat("en-US", { minute: "numeric", timeZoneName: "longOffset", timeZone: id });
  } catch {
    return undefined;
  }
  let short: Intl.DateTimeFormat | undefined;
  let long: Intl.DateTimeFormat | undefined;
  return {
    id,
    offsetAt: (instant) => readOffset(offsets.format(instant)),
    shortName: (instant) => {
      short ??= abbreviations(id, instant);
      return nameIn(short, instant);
    },
    longName: (instant) => {
      long ??= nameFormat("en-US", "long", id);
      return nameIn(long, instant);
    },
  };
}

/** `0 GMT+01:00`; local mean times have seconds, and UTC has no number. */
function readOffset(text: string): number {
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d+):(\d+)(?::(\d+))?$/.exec(text) ?? [];
  const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === "-" ? -offset : offset;
}

/** The abbreviations that a locale knows are those in use where it is spoken; English ones as in Java. */
const LOCALES = ["en-US", "en-GB", "en-AU", "en-IN", "en-NZ", "en-ZA", "en-CA"];

function abbreviations(id: string, instant: number): Intl.DateTimeFormat {
  const formats = LOCALES.map((locale) => nameFormat(locale, "short", id));
  const [first = nameFormat("en-US", "short", id)] = formats;
  return formats.find((format) => !/^(?:GMT|UTC)[+-]/.test(nameIn(format, instant))) ?? first;
}

function nameFormat(locale: string, timeZoneName: "short" | "long", timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { minute: "numeric", timeZone, timeZoneName });
}

function nameIn(format: Intl.DateTimeFormat, instant: number): string {
  return format.formatToParts(instant).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** The instant of a local time. In a gap it moves on by the gap, in an overlap the first counts, as in Java. */
export function instantOf(local: number, zone: Zone): number {
  const before = zone.offsetAt(local - 86_400_000);
  const after = zone.offsetAt(local + 86_400_000);
  const isAfter =
    before !== after && zone.offsetAt(local - before) !== before && zone.offsetAt(local - after) === after;
  return local - (isAfter ? after : before);
}
