import { expect, test } from "vitest";
import { UsageError } from "../bridge/usage-error.ts";
import { readMoment } from "./moment.ts";

const now = Date.parse("2026-01-31T12:00:00Z");

test.for([
  ["30s", "2026-01-31T11:59:30.000Z"],
  ["90m", "2026-01-31T10:30:00.000Z"],
  ["2h", "2026-01-31T10:00:00.000Z"],
  ["3d", "2026-01-28T12:00:00.000Z"],
  ["2026-01-30", "2026-01-30T00:00:00.000Z"],
  ["2026-01-30T08:15", "2026-01-30T08:15:00.000Z"], // UTC, wherever the command runs
  ["2026-01-30T08:15:30.5Z", "2026-01-30T08:15:30.500Z"],
  ["2026-01-30T08:15:30+02:00", "2026-01-30T06:15:30.000Z"],
] as const)("%s is %s", ([text, time]) => {
  expect(new Date(readMoment("--since", text, now)).toISOString()).toBe(time);
});

test.for(["", "2", "h", "2 h", "-2h", "1.5h", "2w", "yesterday", "2026-13-01", "2026-01-30 08:15", "12:00"])(
  "refuses '%s'",
  (text) => {
    expect(() => readMoment("--since", text, now)).toThrow(UsageError);
  },
);
