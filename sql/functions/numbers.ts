import { compare, negate, Rounding, remainder, round, toBigInt } from "../arithmetic.ts";
import { numberOf, type SqlNumber } from "../decimal.ts";
import { toNumber, Undefined, type Value } from "../value.ts";
import { type FunctionTable, ofDoubles, type SqlFunction } from "./function.ts";

/** trunc keeps at most as many decimal places as a Decimal has digits. */
const MAX_PLACES = 34;

export const numberFunctions: FunctionTable = {
  abs: ofNumber((number) => (compare(number, 0) < 0 ? negate(number) : number)),
  acos: ofDoubles(1, Math.acos),
  asin: ofDoubles(1, Math.asin),
  atan: ofDoubles(1, Math.atan),
  atan2: ofDoubles(2, Math.atan2),
  bitand: ofInts((left, right) => left & right),
  // Two's complement; the reference prints bitnot(13) = 2, a NOT of four bits.
  bitnot: { arity: [1, 1], apply: (_context, value = Undefined) => ofBits(value, (int) => ~int) },
  bitor: ofInts((left, right) => left | right),
  bitxor: ofInts((left, right) => left ^ right),
  ceil: ofNumber((number) => round(number, Rounding.up)),
  cos: ofDoubles(1, Math.cos),
  cosh: ofDoubles(1, Math.cosh),
  exp: ofDoubles(1, Math.exp),
  floor: ofNumber((number) => round(number, Rounding.down)),
  ln: ofDoubles(1, Math.log),
  log: ofDoubles(1, Math.log10),
  mod: ofNumbers(remainder),
  power: ofDoubles(2, (base = 0, exponent = 0) => base ** exponent),
  rand: { arity: [0, 0], apply: () => Math.random() },
  remainder: ofNumbers(remainder),
  round: ofNumber((number) => round(number, Rounding.nearest)),
  sign: ofNumber((number) => Math.sign(compare(number, 0))),
  sin: ofDoubles(1, Math.sin),
  sinh: ofDoubles(1, Math.sinh),
  sqrt: ofDoubles(1, Math.sqrt),
  tan: ofDoubles(1, Math.tan),
  tanh: ofDoubles(1, Math.tanh),
  trunc: ofNumbers((number, places) => {
    const whole = Number(toBigInt(round(places, Rounding.down)));
    return round(number, Rounding.towardsZero, Math.min(Math.max(whole, 0), MAX_PLACES));
  }),
};

function ofNumber(apply: (number: SqlNumber) => Value): SqlFunction {
  return {
    arity: [1, 1],
    apply: (_context, value = Undefined) => {
      const number = toNumber(value);
      return number === Undefined ? Undefined : apply(number);
    },
  };
}

function ofNumbers(apply: (left: SqlNumber, right: SqlNumber) => Value): SqlFunction {
  return {
    arity: [2, 2],
    apply: (_context, left = Undefined, right = Undefined) => {
      const a = toNumber(left);
      const b = toNumber(right);
      return a === Undefined || b === Undefined ? Undefined : apply(a, b);
    },
  };
}

function ofInts(apply: (left: bigint, right: bigint) => bigint): SqlFunction {
  return {
    arity: [2, 2],
    apply: (_context, left = Undefined, right = Undefined) =>
      ofBits(left, (a) => {
        const b = toNumber(right);
        return b === Undefined ? Undefined : apply(a, toBigInt(round(b, Rounding.down)));
      }),
  };
}

/** The value's bits, rounded down to an Int. */
function ofBits(value: Value, apply: (int: bigint) => bigint | Undefined): Value {
  const number = toNumber(value);
  if (number === Undefined) return Undefined;
  const int = apply(toBigInt(round(number, Rounding.down)));
  return int === Undefined ? Undefined : (numberOf(int, 0) ?? Undefined);
}
