import { isObject, type JsonValue, member, setMember, Undefined, type Value } from "./value.ts";

/** The object that a SELECT builds. */
export type Output = Record<string, JsonValue>;

/** Undefined leaves the key out. */
export function writeMember(output: Output, key: string, value: Value): void {
  if (value !== Undefined) setMember(output, key, value);
}

/** `*` and an object literal give all their members; what is not an object has none. */
export function writeObject(output: Output, value: Value): void {
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) setMember(output, key, value[key] ?? null);
}

/**
 * Writes `AS a.b.c`, keeping what is already under `a` and `a.b`.
 * Objects on the way are copied: they may be the payload's, which other columns show too.
 */
export function writePath(output: Output, [key, ...deeper]: readonly string[], value: Value): void {
  if (key === undefined || value === Undefined) return;
  if (deeper.length === 0) {
    setMember(output, key, value);
    return;
  }
  const present = member(output, key);
  const copy: Output = {};
  if (isObject(present)) writeObject(copy, present);
  writePath(copy, deeper, value);
  setMember(output, key, copy);
}
