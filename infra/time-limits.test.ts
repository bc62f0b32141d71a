import { expect, test } from "vitest";
import {
  batchSeconds,
  circuitSeconds,
  directSeconds,
  frameSeconds,
  maximumDelaySeconds,
  visibilityTimeout,
} from "./time-limits.ts";

/** The longest `api.timeoutMs`. */
const longestMs = 60_000;

test("an invocation may take as long as its requests and what is around them", () => {
  expect(directSeconds(10_000)).toBe(15);
  expect(directSeconds(100)).toBe(6);
  expect(batchSeconds(10, 10_000)).toBe(140);
  expect(batchSeconds(4, 10_000)).toBe(80);
  expect(frameSeconds(10_000)).toBe(60);
  expect(circuitSeconds(10_000)).toBe(140);
});

test("no function needs more than the 900 s that Lambda gives, and no queue more than SQS's 12 hours", () => {
  for (const seconds of [
    directSeconds(longestMs),
    batchSeconds(10, longestMs),
    frameSeconds(longestMs),
    circuitSeconds(longestMs),
  ]) {
    expect(seconds).toBeLessThanOrEqual(900);
    expect(visibilityTimeout(seconds).toSeconds()).toBeLessThanOrEqual(43_200);
  }
});

test("a delay that is asked for at the end of the longest invocation is within 12 hours of the receive", () => {
  const seconds = batchSeconds(10, longestMs);
  expect(maximumDelaySeconds(seconds) + seconds).toBe(43_200);
});
