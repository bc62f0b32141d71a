import { expect, test } from "vitest";
import { SlidingSecond, Throughput } from "./rates.ts";

test("no second has more than the limit, wherever it begins", () => {
  const rate = new SlidingSecond();
  const times: number[] = [];
  for (let now = 0; now < 10_000; now += 3) if (rate.take(100, now)) times.push(now);
  expect(times.length).toBeGreaterThan(900);
  for (const [index, time] of times.entries()) {
    const hundredth = times[index + 100];
    if (hundredth !== undefined) expect(hundredth - time).toBeGreaterThanOrEqual(1_000);
  }
});

test("what it refuses does not count, and it says when there is room", () => {
  const rate = new SlidingSecond();
  expect([rate.take(2, 0), rate.take(2, 10), rate.take(2, 20)]).toEqual([true, true, false]);
  expect(rate.waitMs(20)).toBe(980);
  expect([rate.take(2, 999), rate.take(2, 1_000)]).toEqual([false, true]);
});

test("a second's bytes may come at once, and what exceeds them waits", () => {
  const throughput = new Throughput();
  expect(throughput.spend(1_000, 1_000, 0)).toBe(0);
  expect(throughput.spend(500, 1_000, 0)).toBe(500);
  expect(throughput.spend(500, 1_000, 0)).toBe(1_000);
  expect(throughput.spend(100, 1_000, 5_000)).toBe(0);
});
