import { UsageError } from "../bridge/usage-error.ts";
import { readMoment } from "./moment.ts";

/** Which records a command means; all where nothing is said. */
export interface Filter {
  readonly route: string | undefined;
  readonly deviceId: string | undefined;
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly until: number | undefined;
}

const text = { type: "string" } as const;

export const filterFlags = { route: text, device: text, since: text, until: text, limit: text } as const;

/** Of commands that send or change something. */
export const changeFlags = {
  all: { type: "boolean", default: false },
  rate: { type: "string", default: "100" },
  "dry-run": { type: "boolean", default: false },
} as const;

export type FilterValues = Readonly<Partial<Record<keyof typeof filterFlags, string>>>;

/** @throws {UsageError} */
export function readFilter(values: FilterValues, now: number): Filter {
  const moment = (flag: string, value: string | undefined) =>
    value === undefined ? undefined : readMoment(flag, value, now);
  return {
    route: values.route,
    deviceId: values.device,
    since: moment("--since", values.since),
    until: moment("--until", values.until),
  };
}

/** @throws {UsageError} */
export function readCount(flag: string, value: string): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new UsageError(`${flag} ${value} is not a whole number of 1 or more`);
}
