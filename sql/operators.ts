import { add, compare, divide, divideInts, isInt, isSame, multiply, remainder, subtract } from "./arithmetic.ts";
import type { BinaryOperator } from "./ast.ts";
import type { SqlNumber } from "./decimal.ts";
import {
  isArray,
  isNumber,
  isObject,
  MAX_TEXT_LENGTH,
  toBoolean,
  toNumber,
  toText,
  Undefined,
  type Value,
} from "./value.ts";

type Operator = (left: Value, right: Value) => Value;

/** @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html */
export const BINARY_OPERATORS: Readonly<Record<BinaryOperator, Operator>> = {
  OR: ofBooleans((left, right) => left || right),
  AND: ofBooleans((left, right) => left && right),
  "=": (left, right) => (left === Undefined || right === Undefined ? Undefined : isEqual(left, right)),
  "<>": (left, right) => (left === Undefined || right === Undefined ? Undefined : !isEqual(left, right)),
  "<": ofNumbers((left, right) => compare(left, right) < 0),
  "<=": ofNumbers((left, right) => compare(left, right) <= 0),
  ">": ofNumbers((left, right) => compare(left, right) > 0),
  ">=": ofNumbers((left, right) => compare(left, right) >= 0),
  IN: (left, right) =>
    left === Undefined || !isArray(right) ? Undefined : right.some((element) => isEqual(left, element)),
  "+": plus,
  "-": ofNumbers(subtract),
  "*": ofNumbers(multiply),
  "/": (left, right) => (isInteger(left) && isInteger(right) ? divideInts(left, right) : divideNumbers(left, right)),
  "%": ofNumbers(remainder),
};

export function not(value: Value): Value {
  const boolean = toBoolean(value);
  return boolean === Undefined ? Undefined : !boolean;
}

/** Deep equality. Values of different types differ: 1 is not '1'. */
export function isEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  // Each number has one representation, so that a double is never a Decimal.
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (isNumber(left) && isNumber(right)) return isSame(left, right);
  if (isArray(left) && isArray(right)) {
    return left.length === right.length && left.every((element, index) => isEqual(element, right[index] ?? null));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key] ?? null, right[key] ?? null));
}

/** A text on either side concatenates, even when it spells a number. */
function plus(left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) return add(left, right);
  if (typeof left !== "string" && typeof right !== "string") return Undefined;
  const a = toText(left);
  const b = toText(right);
  return a === Undefined || b === Undefined || a.length + b.length > MAX_TEXT_LENGTH ? Undefined : a + b;
}

const divideNumbers = ofNumbers(divide);

/** Texts are converted to Decimals, so only two numbers divide as Ints. */
function isInteger(value: Value): value is SqlNumber {
  return isNumber(value) && isInt(value);
}

/** Without short-circuit: `false AND missing` is Undefined, as the operator's table says. */
function ofBooleans(apply: (left: boolean, right: boolean) => boolean): Operator {
  return (left, right) => {
    const a = toBoolean(left);
    const b = toBoolean(right);
    return a === Undefined || b === Undefined ? Undefined : apply(a, b);
  };
}

function ofNumbers(apply: (left: SqlNumber, right: SqlNumber) => Value): Operator {
  return (left, right) => {
    if (typeof left === "number" && typeof right === "number") return apply(left, right);
    const a = toNumber(left);
    const b = toNumber(right);
    return a === Undefined || b === Undefined ? Undefined : apply(a, b);
  };
}
