import type { BinaryOperator } from "./ast.ts";

/** How tightly operators bind; those of one row group from the left. */
export const BINDING_POWER: Readonly<Record<BinaryOperator, number>> = {
  OR: 1,
  AND: 2,
  "=": 4,
  "<>": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  IN: 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
};

/** NOT takes a whole comparison: `NOT a = b` is `NOT (a = b)`. */
export const NOT_POWER = 3;
export const NEGATION_POWER = 7;
