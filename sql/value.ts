import { Decimal, exactly, parseNumber, type SqlNumber } from "./decimal.ts";
import { isLongerThan } from "./size.ts";

/** 1 Mi code units, 8 times the largest message: an expression that doubles a text ends here and not in the heap. */
export const MAX_TEXT_LENGTH = 2 ** 20;

/** Elements or members that one function makes; a message of 128 KiB cannot have as many. */
export const MAX_ELEMENTS = 2 ** 17;

/** "Not a value", yet a value to the SQL: functions take it, operators return it, JSON leaves it out. */
export const Undefined: unique symbol = Symbol("Undefined");
export type Undefined = typeof Undefined;

/** What a statement yields. A number beyond a double's precision is a `Decimal`; `JSON.stringify` prints it exactly. */
export type JsonValue = null | boolean | string | SqlNumber | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
export type Value = JsonValue | Undefined;

export function isArray(value: Value): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isNumber(value: Value): value is SqlNumber {
  return typeof value === "number" || value instanceof Decimal;
}

export function isObject(value: Value): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Decimal);
}

/** An object's own member. Nothing inherited is visible: `constructor` of `{}` is Undefined. */
export function member(value: Value, key: string): Value {
  return isObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : Undefined;
}

/** What arrays, Decimals and objects have without being told: of any other name the value itself knows best. */
const INHERITED = [[], new Decimal(0n, 0), {}];

/** Whether a key that is there can only be a value's own member. */
export function isOwnKey(key: string): boolean {
  return !INHERITED.some((each) => key in each);
}

/** `member` of a key that `isOwnKey`, in less time. */
export function ownMember(value: Value, key: string): Value {
  if (typeof value !== "object" || value === null) return Undefined;
  const found = (value as JsonObject)[key];
  return found === undefined ? Undefined : found;
}

/** Writes an own property whatever its name: assigning `__proto__` would replace the prototype. */
export function setMember(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** Which strings are numbers: no plus sign, digits on both sides of the point. */
const NUMBER_TEXT = /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/i;

// The conversions below are those of https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html

export function toNumber(value: Value): SqlNumber | Undefined {
  if (typeof value === "number") return value;
  if (value instanceof Decimal) return value;
  if (typeof value !== "string" || !NUMBER_TEXT.test(value)) return Undefined;
  return parseNumber(value) ?? Undefined;
}

/** `toNumber`, rounded to a double: what trigonometric functions compute with. Undefined beyond 1.8E308. */
export function toDouble(value: Value): number | Undefined {
  const number = toNumber(value);
  if (!(number instanceof Decimal)) return number;
  const double = Number(number.toString());
  return Number.isFinite(double) ? double : Undefined;
}

/** Conversions to String; null has none. */
export function toText(value: Value): string | Undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isSafeInteger(value) ? String(value) : exactly(value).toString();
    case "boolean":
      return String(value);
    case "symbol":
      return Undefined;
    default:
      if (value === null) return Undefined;
      return value instanceof Decimal ? value.toString() : toJson(value);
  }
}

function toJson(value: JsonValue): string | Undefined {
  if (isLongerThan(value, MAX_TEXT_LENGTH)) return Undefined;
  const json = JSON.stringify(value);
  return json.length > MAX_TEXT_LENGTH ? Undefined : json;
}

export function toBoolean(value: Value): boolean | Undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return Undefined;
  const lower = value.toLowerCase();
  if (lower === "true") return true;
  return lower === "false" ? false : Undefined;
}

/** Undefined when a part is, and when the whole would be longer than any message. */
export function joinTexts(parts: readonly (string | Undefined)[], separator = ""): string | Undefined {
  const texts = parts.filter((part) => part !== Undefined);
  if (texts.length < parts.length) return Undefined;
  const length = texts.reduce((sum, text) => sum + text.length, separator.length * (texts.length - 1));
  return length > MAX_TEXT_LENGTH ? Undefined : texts.join(separator);
}
