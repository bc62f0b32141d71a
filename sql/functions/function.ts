import type { Context } from "../context.ts";
import { toDouble, toText, Undefined, type Value } from "../value.ts";

/** One function of the SQL. */
export interface SqlFunction {
  readonly arity: readonly [minimum: number, maximum: number];
  /** The first SQL version that has it; absent for those of 2015-10-08. */
  readonly since?: "2016-03-23";
  /** An argument that has to be one of these literals. */
  readonly literal?: { readonly position: number; readonly values: readonly string[] };
  readonly apply: (context: Context, ...values: Value[]) => Value;
}

export type FunctionTable = Readonly<Record<string, SqlFunction>>;

/** A function of texts: other arguments are converted, and what has no text makes the result Undefined. */
export function ofTexts(count: number, apply: (...texts: string[]) => Value): SqlFunction {
  return {
    arity: [count, count],
    apply: (_context, ...values) => {
      const texts = values.map(toText).filter((text) => text !== Undefined);
      return texts.length < values.length ? Undefined : apply(...texts);
    },
  };
}

/** A function in double precision: imaginary and infinite results are Undefined. */
export function ofDoubles(count: number, apply: (...doubles: number[]) => number): SqlFunction {
  return {
    arity: [count, count],
    apply: (_context, ...values) => {
      const doubles = values.map(toDouble).filter((double) => double !== Undefined);
      const result = doubles.length < values.length ? Number.NaN : apply(...doubles);
      return Number.isFinite(result) ? result : Undefined;
    },
  };
}

/** An index or a count: rounded down to an Int. */
export function toIndex(value: Value): number | Undefined {
  const double = toDouble(value);
  return double === Undefined ? Undefined : Math.floor(double);
}
