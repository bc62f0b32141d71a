import {
  isArray,
  isObject,
  type JsonValue,
  MAX_ELEMENTS,
  MAX_TEXT_LENGTH,
  member,
  setMember,
  toText,
  Undefined,
  type Value,
} from "../value.ts";
import { type FunctionTable, toIndex } from "./function.ts";

/** Functions of values of any type. */
export const collectionFunctions: FunctionTable = {
  concat: { arity: [0, Number.POSITIVE_INFINITY], apply: (_context, ...values) => concat(values) },
  get: { arity: [2, 2], apply: (_context, collection = Undefined, key = Undefined) => get(collection, key) },
  get_or_default: {
    arity: [1, 2],
    since: "2016-03-23",
    apply: (_context, value = Undefined, fallback = Undefined) =>
      value === Undefined || value === null ? fallback : value,
  },
  isnull: { arity: [1, 1], apply: (_context, value = Undefined) => value === null },
  isundefined: { arity: [1, 1], since: "2016-03-23", apply: (_context, value = Undefined) => value === Undefined },
  // Only NaN, null and Undefined select the second argument, and there is no NaN here.
  nanvl: {
    arity: [2, 2],
    apply: (_context, value = Undefined, fallback = Undefined) =>
      value === Undefined || value === null ? fallback : value,
  },
  transform: {
    arity: [3, 3],
    since: "2016-03-23",
    apply: (_context, mode = Undefined, attributes = Undefined, array = Undefined) =>
      mode === "enrichArray" ? enrichArray(attributes, array) : Undefined,
  },
};

/** An array when one argument is, otherwise a text; a single argument is returned as it is. */
function concat(values: readonly Value[]): Value {
  const [first = Undefined] = values;
  if (values.length < 2) return first;
  return values.some(isArray) ? concatArrays(values) : concatTexts(values);
}

function concatTexts(values: readonly Value[]): Value {
  let joined = "";
  for (const value of values) {
    const text = toText(value);
    if (text === Undefined || joined.length + text.length > MAX_TEXT_LENGTH) return Undefined;
    joined += text;
  }
  return joined;
}

function concatArrays(values: readonly Value[]): Value {
  const joined: JsonValue[] = [];
  for (const value of values) {
    if (value === Undefined || joined.length + (isArray(value) ? value.length : 1) > MAX_ELEMENTS) return Undefined;
    if (isArray(value)) for (const element of value) joined.push(element);
    else joined.push(value);
  }
  return joined;
}

function get(collection: Value, key: Value): Value {
  if (isObject(collection)) return typeof key === "string" ? member(collection, key) : Undefined;
  if (typeof collection !== "string" && !isArray(collection)) return Undefined;
  const index = toIndex(key);
  return index === Undefined ? Undefined : (collection[index] ?? Undefined);
}

function enrichArray(attributes: Value, array: Value): Value {
  if (!isObject(attributes) || !isArray(array)) return Undefined;
  const objects = array.filter(isObject);
  const count = objects.length * Object.keys(attributes).length;
  if (objects.length < array.length || count > MAX_ELEMENTS) return Undefined;
  return objects.map((object) => {
    const enriched = { ...object };
    for (const [key, value] of Object.entries(attributes)) setMember(enriched, key, value);
    return enriched;
  });
}
