import { compare, Rounding, round } from "./arithmetic.ts";
import type { SqlVersion } from "./context.ts";
import { isNumber, toBoolean, toDouble, toNumber, toText, Undefined, type Value } from "./value.ts";

type Cast = (value: Value) => Value;

interface CastType {
  readonly cast: Cast;
  readonly since?: SqlVersion;
}

const TEXT: CastType = { cast: toText };
const INT: CastType = { cast: toInt };
const DECIMAL: CastType = { cast: toDecimal, since: "2016-03-23" };
const BOOLEAN: CastType = { cast: toTruth, since: "2016-03-23" };

/** What may stand behind AS in `cast(value AS type)`; not case-sensitive. */
const CAST_TYPES: ReadonlyMap<string, CastType> = new Map([
  ["string", TEXT],
  ["nvarchar", TEXT],
  ["text", TEXT],
  ["ntext", TEXT],
  ["varchar", TEXT],
  ["int", INT],
  ["integer", INT],
  ["double", { cast: (value) => toDouble(toDecimal(value)) }],
  ["decimal", DECIMAL],
  ["bool", BOOLEAN],
  ["boolean", BOOLEAN],
]);

export function findCastType(name: string): CastType | undefined {
  return CAST_TYPES.get(name.toLowerCase());
}

/** Like the conversion, and Booleans become 1 and 0. */
function toDecimal(value: Value): Value {
  return typeof value === "boolean" ? Number(value) : toNumber(value);
}

function toInt(value: Value): Value {
  const number = toDecimal(value);
  return isNumber(number) ? round(number, Rounding.down) : Undefined;
}

/** Like the conversion, and numbers are true unless they are 0. */
function toTruth(value: Value): Value {
  return isNumber(value) ? compare(value, 0) !== 0 : toBoolean(value);
}
