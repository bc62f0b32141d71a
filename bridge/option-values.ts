import { UsageError } from "./usage-error.ts";

/** A number that is more than 0, or at least as much as is said. @throws {UsageError} */
export function number(flag: string, text: string, most = Number.POSITIVE_INFINITY, least?: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UsageError(`${flag} '${text}' is not a number`);
  if (least === undefined ? value <= 0 : value < least) throw new UsageError(`${flag} ${text} is too small`);
  if (value > most) throw new UsageError(`${flag} ${text} is more than ${most}`);
  return value;
}

/** A whole number from 1 on. @throws {UsageError} */
export function count(flag: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = number(flag, text, most);
  if (!Number.isInteger(value)) throw new UsageError(`${flag} '${text}' is not a whole number`);
  return value;
}

/** A time such as 250ms or 2s; without a unit it is milliseconds. @throws {UsageError} */
export function milliseconds(flag: string, text: string, most = Number.POSITIVE_INFINITY): number {
  const [, value = "", unit = "ms"] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  if (value === "") throw new UsageError(`${flag} '${text}' is not a time such as 250ms or 2s`);
  const result = Number(value) * (unit === "s" ? 1000 : 1);
  if (result > most) throw new UsageError(`${flag} ${text} is more than ${most / 1000}s`);
  return result;
}
