import { Rounding, round, toBigInt } from "../arithmetic.ts";
import type { Context } from "../context.ts";
import { LruCache } from "../lru-cache.ts";
import { javaParse, type Parse } from "../time/java-parse.ts";
import { type Format, jodaFormat } from "../time/joda-format.ts";
import { findZone, utc } from "../time/zone.ts";
import { toNumber, toText, Undefined, type Value } from "../value.ts";
import type { FunctionTable } from "./function.ts";

const MAX_CACHED = 100;
const formats = new LruCache<Format | undefined>(MAX_CACHED);
const parsers = new LruCache<Parse | undefined>(MAX_CACHED);

/**
 * Functions of dates. The first has the patterns of Joda-Time and the second those of java.time, which differ in some
 * letters: `Y` is the year of the era in one and that of the week in the other.
 */
export const timeFunctions: FunctionTable = {
  parse_time: {
    arity: [2, 3],
    apply: (context, pattern = Undefined, timestamp = Undefined, zone = "UTC") =>
      format(context, pattern, timestamp, zone),
  },
  time_to_epoch: {
    arity: [2, 2],
    since: "2016-03-23",
    apply: (context, text = Undefined, pattern = Undefined) => parse(context, text, pattern),
  },
};

// In steps of 35 ns, at worst. A letter of a pattern is written or read in some 100 ns to 500 ns, weeks and nested sections
// take longest; the name of a zone 2 µs, which most patterns have once; a zone that nobody asked for before takes 300 µs to
// write, 60 µs to read.
const STEPS_PER_LETTER = 15;
const STEPS_PER_WEEK = 30;
const STEPS_PER_SECTION = 30;
const STEPS_PER_ZONE_NAME = 100;
const STEPS_PER_ZONE = 10_000;
const STEPS_PER_READ_ZONE = 1_500;

function format({ steps }: Context, pattern: Value, timestamp: Value, zoneId: Value): Value {
  const text = toText(pattern);
  const instant = toNumber(timestamp);
  const id = toText(zoneId);
  if (text === Undefined || instant === Undefined || id === Undefined) return Undefined;
  const names = id === "UTC" ? 0 : 1 + countOf("z", text);
  const weeks = countOf("w", text) + countOf("x", text);
  const cost = STEPS_PER_LETTER * text.length + STEPS_PER_WEEK * weeks + STEPS_PER_ZONE_NAME * names;
  if (!steps.spend(cost)) return Undefined;
  if (id !== "UTC" && !steps.spendOnce(`zone ${id}`, STEPS_PER_ZONE)) return Undefined;
  const zone = id === "UTC" ? utc : findZone(id);
  if (zone === undefined) return Undefined;
  return formats.get(text, jodaFormat)?.(Number(toBigInt(round(instant, Rounding.down))), zone) ?? Undefined;
}

function parse({ steps }: Context, value: Value, pattern: Value): Value {
  const text = toText(value);
  const letters = toText(pattern);
  if (text === Undefined || letters === Undefined) return Undefined;
  const zones = countOf("V", letters) + countOf("z", letters) === 0 ? 0 : 1;
  // Every text may name another zone.
  const isNew = zones === 0 || steps.spendOnce(`zone in ${text.slice(-MAX_ZONE_LENGTH)}`, STEPS_PER_READ_ZONE);
  const sections = countOf("[", letters);
  const cost = STEPS_PER_LETTER * letters.length + STEPS_PER_SECTION * sections + 4 * zones * STEPS_PER_ZONE_NAME;
  if (!isNew || !steps.spend(cost)) return Undefined;
  return parsers.get(letters, javaParse)?.(text) ?? Undefined;
}

/** Behind it two texts have the same zone. */
const MAX_ZONE_LENGTH = 40;

function countOf(letter: string, text: string): number {
  return text.split(letter).length - 1;
}
