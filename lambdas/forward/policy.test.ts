import { describe, expect, test } from "vitest";
import type { FailureCode } from "./failure.ts";
import { classify, createSchedule, type FailureClass, type NextStep } from "./policy.ts";

const codes: readonly (readonly [FailureClass, readonly FailureCode[]])[] = [
  ["transient", ["HTTP_408", "HTTP_409", "HTTP_425", "HTTP_429", "HTTP_500", "HTTP_502", "HTTP_503", "HTTP_599"]],
  ["transient", ["TIMEOUT", "CONNECTION", "RESPONSE_INVALID", "INTERNAL"]],
  ["message", ["HTTP_400", "HTTP_411", "HTTP_413", "HTTP_414", "HTTP_415", "HTTP_422", "HTTP_431"]],
  ["message", ["HTTP_402", "HTTP_406", "HTTP_418", "HTTP_451", "HTTP_499"]],
  ["suspect", ["HTTP_401", "HTTP_403", "HTTP_404", "HTTP_405", "HTTP_410", "REDIRECT_REFUSED"]],
  ["endpoint", ["TLS_INVALID"]],
];

test.for(codes.flatMap(([kind, list]) => list.map((code) => [code, kind] as const)))("%s is %s", ([code, kind]) => {
  expect(classify(code)).toBe(kind);
});

const limitSeconds = 105;
const schedule = (options: { readonly delays?: readonly number[]; readonly random?: () => number } = {}): NextStep =>
  createSchedule({
    delaysSeconds: options.delays,
    maximumDelaySeconds: 43_200 - limitSeconds,
    random: options.random ?? (() => 0),
  });

/** The delays that a message gets which always fails in the same way. */
function delaysOf(next: NextStep, failure: FailureClass, othersSucceed = false): readonly number[] {
  const delays: number[] = [];
  for (let attempts = 1; attempts < 100; attempts += 1) {
    const delay = next({ failure, attempts, othersSucceed });
    if (delay === undefined) break;
    delays.push(delay);
  }
  return delays;
}

describe("the schedule", () => {
  test("makes 14 attempts, each within what SQS can wait", () => {
    const longest = 43_200 - limitSeconds;
    const delays = [5, 30, 300, 1800, 7200, 18_000, 36_000, ...Array(6).fill(longest)];
    expect(delaysOf(schedule(), "transient")).toEqual(delays);
    expect(delaysOf(schedule(), "endpoint")).toEqual(delays);
  });

  test("takes 72 hours at least, with the most jitter and the longest time limit too", () => {
    const next = createSchedule({
      delaysSeconds: undefined,
      maximumDelaySeconds: 43_200 - 900,
      random: () => 0.999_999,
    });
    const delays = delaysOf(next, "transient");
    expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeGreaterThan(72 * 3600);
  });

  test("takes at most a tenth off by jitter, and nothing on", () => {
    const next = schedule({ random: () => 0.999_999 });
    expect(delaysOf(next, "transient").slice(0, 4)).toEqual([5, 28, 271, 1621]);
  });

  test("follows the delays of the scheme where it has some", () => {
    expect(delaysOf(schedule({ delays: [1, 2, 50_000] }), "transient")).toEqual([1, 2, 43_095]);
  });

  test.for([
    [3, 5], // the schedule's own is longer
    [7, 7],
    [43_200, 43_095], // SQS cannot wait longer
  ])("waits for a Retry-After of %i seconds: %i", ([retryAfterSeconds, expected]) => {
    const failed = { failure: "transient", attempts: 1, othersSucceed: false, retryAfterSeconds } as const;
    expect(schedule()(failed)).toBe(expected);
  });

  test("ends a message at fault after one attempt", () => {
    expect(delaysOf(schedule(), "message")).toEqual([]);
  });

  test("ends a suspect message after short retries while others succeed", () => {
    expect(delaysOf(schedule(), "suspect", true)).toEqual([5, 30]);
  });

  test("keeps a suspect message while nobody succeeds", () => {
    expect(delaysOf(schedule(), "suspect")).toHaveLength(13);
  });
});
