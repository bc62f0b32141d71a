import type { Expression } from "../ast.ts";
import type { Compilation } from "../compilation.ts";
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
  /** What to do instead where arguments are literals: checked and prepared once. Undefined for nothing instead. */
  readonly specialize?: (nodes: readonly Expression[], compilation: Compilation) => SqlFunction["apply"] | undefined;
}

export type FunctionTable = Readonly<Record<string, SqlFunction>>;

/** A function of texts: other arguments are converted, and what has no text makes the result Undefined. */
export function ofTexts(count: 1 | 2 | 3, apply: (first: string, second: string, third: string) => Value): SqlFunction {
  if (count === 1) {
    return {
      arity: [1, 1],
      apply: (_context, value = Undefined) => {
        const text = toText(value);
        return text === Undefined ? Undefined : apply(text, "", "");
      },
    };
  }
  return {
    arity: [count, count],
    // Not by a list of arguments, which costs an array for every message.
    apply: (_context, first = Undefined, second = "", third = "") => {
      const a = toText(first);
      const b = toText(second);
      const c = toText(third);
      return a === Undefined || b === Undefined || c === Undefined ? Undefined : apply(a, b, c);
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
  if (typeof value === "number") return Math.floor(value);
  const double = toDouble(value);
  return double === Undefined ? Undefined : Math.floor(double);
}
