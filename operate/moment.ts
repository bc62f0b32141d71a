import { UsageError } from "../bridge/usage-error.ts";

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const agePattern = /^(\d+)([smhd])$/;
/** A date, or a date and a time, to the second or finer (ISO 8601). */
const timePattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A point in time as a command's user gives it, in milliseconds since 1970: an age, `90m`, `2h`, `3d`, or an ISO 8601
 * time. A time without an offset is UTC, as all that is printed.
 *
 * @throws {UsageError}
 */
export function readMoment(flag: string, text: string, now: number): number {
  const [, count, unit = ""] = agePattern.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (unitsMs[unit] ?? 0);
  const [, time, , , offset] = timePattern.exec(text) ?? [];
  const at = timePattern.test(text) ? Date.parse(time === undefined || offset ? text : `${text}Z`) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new UsageError(`${flag} '${text}' is neither an age (90m, 2h, 3d) nor a time (2026-01-31T08:00Z)`);
  }
  return at;
}
