import {
  isArray,
  isObject,
  type JsonValue,
  joinTexts,
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
  if (!values.some(isArray)) return joinTexts(values.map(toText));
  const defined = values.filter((value) => value !== Undefined);
  return defined.length < values.length
    ? Undefined
    : defined.flatMap((value): readonly JsonValue[] => (isArray(value) ? value : [value]));
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
  if (objects.length < array.length) return Undefined;
  return objects.map((object) => {
    const enriched = { ...object };
    for (const [key, value] of Object.entries(attributes)) setMember(enriched, key, value);
    return enriched;
  });
}
