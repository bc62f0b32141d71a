import { expect, test } from "vitest";
import { parseRetryAfter } from "./retry-after.ts";

const now = Date.parse("2026-11-20T12:00:00Z");
const hour = 3_600_000;

test.for([
  ["7", 7_000],
  [" 120 ", 120_000],
  ["0", 1_000], // at least a second
  ["99999999", 12 * hour], // at most what SQS can wait
  ["99999999999999999999999999", 12 * hour],
  ["Fri, 20 Nov 2026 12:00:30 GMT", 30_000],
  ["Fri, 20 Nov 2026 11:00:00 GMT", 1_000], // over already
  ["Sat, 21 Nov 2026 12:00:00 GMT", 12 * hour],
  ["-5, soon", undefined],
  ["1e9", undefined], // not 1*DIGIT
  ["+5", undefined],
  ["1.5", undefined],
  ["", undefined],
  ["2026-11-20T12:00:30Z", undefined],
  ["Fri, 99 Nov 2026 12:00:30 GMT", undefined],
  [undefined, undefined],
] as const)("Retry-After %s waits %s ms", ([value, waitMs]) => {
  expect(parseRetryAfter(value, now)).toBe(waitMs);
});
