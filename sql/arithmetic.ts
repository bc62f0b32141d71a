import { Decimal, digitCount, exactly, numberOf, type SqlNumber } from "./decimal.ts";
import { Undefined } from "./value.ts";

type Result = SqlNumber | Undefined;

/** 34 digits of a quotient, one to round by, and one that says whether anything follows. */
const QUOTIENT_DIGITS = 36;

export function add(left: SqlNumber, right: SqlNumber): Result {
  if (Number.isSafeInteger(left) && Number.isSafeInteger(right)) {
    const sum = (left as number) + (right as number);
    if (Number.isSafeInteger(sum)) return sum;
  }
  const a = exactly(left);
  const b = exactly(right);
  const gap = magnitude(a) - magnitude(b);
  if (gap > NEGLIGIBLE_GAP) return sum(a, trace(b, magnitude(a)));
  return gap < -NEGLIGIBLE_GAP ? sum(trace(a, magnitude(b)), b) : sum(a, b);
}

function sum(left: Decimal, right: Decimal): Result {
  const [a, b, exponent] = align(left, right);
  return result(a + b, exponent);
}

/** Of two numbers that are further apart, 34 digits of the sum show of the smaller one only that it is there. */
const NEGLIGIBLE_GAP = 80;

/** A number of the same sign that is as negligible, and near enough to be added without thousands of digits. */
function trace({ coefficient }: Decimal, beside: number): Decimal {
  if (coefficient === 0n) return new Decimal(0n, beside);
  return new Decimal(coefficient < 0n ? -1n : 1n, beside - NEGLIGIBLE_GAP);
}

/** The exponent of the first digit; of 0 that of a number smaller than all others. */
function magnitude({ coefficient, exponent }: Decimal): number {
  return coefficient === 0n ? -9_999 : digitCount(coefficient) - 1 + exponent;
}

export function negate(number: SqlNumber): SqlNumber {
  if (typeof number === "number") return 0 - number;
  return new Decimal(-number.coefficient, number.exponent);
}

export function subtract(left: SqlNumber, right: SqlNumber): Result {
  return add(left, negate(right));
}

export function multiply(left: SqlNumber, right: SqlNumber): Result {
  if (Number.isSafeInteger(left) && Number.isSafeInteger(right)) {
    const product = (left as number) * (right as number);
    if (Number.isSafeInteger(product)) return product + 0;
  }
  const a = exactly(left);
  const b = exactly(right);
  return result(a.coefficient * b.coefficient, a.exponent + b.exponent);
}

/** Undefined for a divisor of 0: there is no Infinity in AWS IoT SQL. */
export function divide(left: SqlNumber, right: SqlNumber): Result {
  const a = exactly(left);
  const b = exactly(right);
  if (b.coefficient === 0n) return Undefined;
  const shift = Math.max(0, QUOTIENT_DIGITS + digitCount(b.coefficient) - digitCount(a.coefficient));
  const numerator = a.coefficient * 10n ** BigInt(shift);
  const quotient = numerator / b.coefficient;
  // A remainder becomes one more non-zero digit, so that rounding to 34 digits does not take it for a tie.
  const sign = a.coefficient < 0n === b.coefficient < 0n ? 1n : -1n;
  const sticky = numerator % b.coefficient === 0n ? 0n : sign;
  return result(quotient * 10n + sticky, a.exponent - b.exponent - shift - 1);
}

/** The quotient of two Ints as an Int, cut towards zero. */
export function divideInts(left: SqlNumber, right: SqlNumber): Result {
  const [a, b] = align(left, right);
  return b === 0n ? Undefined : result(a / b, 0);
}

/** The remainder has the sign of the dividend, as in Java. */
export function remainder(left: SqlNumber, right: SqlNumber): Result {
  const [a, b, exponent] = align(left, right);
  return b === 0n ? Undefined : result(a % b, exponent);
}

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function compare(left: SqlNumber, right: SqlNumber): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const one = exactly(left);
  const other = exactly(right);
  const gap = magnitude(one) - magnitude(other);
  // The larger magnitude decides, by its sign.
  if (gap > 0) return one.coefficient < 0n ? -1 : 1;
  if (gap < 0) return other.coefficient < 0n ? 1 : -1;
  const [a, b] = align(left, right);
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whole numbers are Ints: since version 2016-03-23 `10.0` is the Int 10. */
export function isInt(number: SqlNumber): boolean {
  return typeof number === "number" ? Number.isInteger(number) : number.exponent >= 0;
}

export function isSame(left: SqlNumber, right: SqlNumber): boolean {
  if (typeof left === "number" || typeof right === "number") return left === right;
  return left.coefficient === right.coefficient && left.exponent === right.exponent;
}

export const Rounding = {
  down: (quotient: bigint, rest: bigint) => (rest < 0n ? quotient - 1n : quotient),
  up: (quotient: bigint, rest: bigint) => (rest > 0n ? quotient + 1n : quotient),
  towardsZero: (quotient: bigint) => quotient,
  /** Ties go away from zero: the reference rounds 1.5 to 2 and -1.5 to -2. */
  nearest: (quotient: bigint, rest: bigint, unit: bigint) => {
    if (rest * 2n >= unit) return quotient + 1n;
    return rest * -2n >= unit ? quotient - 1n : quotient;
  },
} as const;
export type Rounding = (typeof Rounding)[keyof typeof Rounding];

/** Rounds to a number of decimal places. */
export function round(number: SqlNumber, rounding: Rounding, places = 0): SqlNumber {
  if (isInt(number)) return number;
  const { coefficient, exponent } = exactly(number);
  const dropped = -exponent - places;
  if (dropped <= 0) return number;
  const unit = 10n ** BigInt(dropped);
  return numberOf(rounding(coefficient / unit, coefficient % unit, unit), -places) ?? number;
}

/** A whole number as a bigint. */
export function toBigInt(number: SqlNumber): bigint {
  const { coefficient, exponent } = exactly(number);
  return exponent >= 0 ? coefficient * 10n ** BigInt(exponent) : coefficient / 10n ** BigInt(-exponent);
}

/** Both coefficients at one exponent; at most 2 000 digits, because exponents are bounded by ±999. */
function align(left: SqlNumber, right: SqlNumber): [bigint, bigint, number] {
  const a = exactly(left);
  const b = exactly(right);
  const exponent = Math.min(a.exponent, b.exponent);
  return [scale(a, exponent), scale(b, exponent), exponent];
}

function scale(decimal: Decimal, exponent: number): bigint {
  const places = decimal.exponent - exponent;
  return places === 0 ? decimal.coefficient : decimal.coefficient * 10n ** BigInt(places);
}

function result(coefficient: bigint, exponent: number): Result {
  return numberOf(coefficient, exponent) ?? Undefined;
}
