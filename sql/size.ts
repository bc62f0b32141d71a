import { Decimal } from "./decimal.ts";
import type { Value } from "./value.ts";

/** Payloads and literals each nest within limits of their own; what is made of both repeatedly does not. */
const MAX_DEPTH = 1_500;

/**
 * Whether a value would take more characters as JSON than a limit. Looks no further than the limit, because a value
 * that has another in it several times is small in memory and as long as it likes as text.
 */
export function isLongerThan(value: Value, limit: number): boolean {
  return rest(value, limit, 0) < 0;
}

/** About how many characters a value takes as JSON; undefined when it is longer than the limit. */
export function lengthWithin(limit: number, value: Value): number | undefined {
  const left = rest(value, limit, 0);
  return left < 0 ? undefined : limit - left;
}

/** What is left of the limit behind a value; negative when nothing is. */
function rest(value: Value, limit: number, depth: number): number {
  if (depth > MAX_DEPTH) return -1;
  if (typeof value === "string") return limit - value.length - 2;
  if (typeof value !== "object" || value === null) return limit - 4;
  if (value instanceof Decimal) return limit - 34;
  let left = limit - 2;
  if (Array.isArray(value)) {
    for (let index = 0; left >= 0 && index < value.length; index += 1) left = rest(value[index], left - 1, depth + 1);
    return left;
  }
  const object = value as { readonly [key: string]: Value };
  for (const key in object) {
    if (left < 0) break;
    left = rest(object[key] ?? null, left - key.length - 4, depth + 1);
  }
  return left;
}
