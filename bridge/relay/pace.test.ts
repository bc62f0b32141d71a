import { expect, test } from "vitest";
import { defaultPace, Pacer } from "./pace.ts";

/** How many publishes of a size go out in a time, by a clock that jumps to when the next may go. */
function sent(pacer: Pacer, bytes: number, untilMs: number, tickMs = 0): number[] {
  const times: number[] = [];
  for (let now = 0; now < untilMs; ) {
    const waitMs = pacer.waitMs(now);
    if (waitMs > 0) {
      now += Math.max(waitMs, tickMs);
      continue;
    }
    times.push(now);
    pacer.spend(bytes, now);
  }
  return times;
}

const mostInASecond = (times: readonly number[]) =>
  Math.max(...times.map((begin) => times.filter((time) => time >= begin && time < begin + 1_000).length));

test("no second, wherever it begins, has more publishes than the pace", () => {
  const times = sent(new Pacer(defaultPace), 100, 10_000);
  expect(mostInASecond(times)).toBeLessThanOrEqual(defaultPace.publishesPerSecond + 1);
  expect(times.length).toBeGreaterThan(9.9 * defaultPace.publishesPerSecond);
});

test("after a rest there is no burst", () => {
  const pacer = new Pacer(defaultPace);
  pacer.spend(100, 0);
  pacer.spend(100, 60_000);
  expect(pacer.waitMs(60_000)).toBeCloseTo(1_000 / defaultPace.publishesPerSecond);
});

test("large publishes are spaced by their bytes", () => {
  const times = sent(new Pacer(defaultPace), 131_072, 10_000);
  expect(times.length * 131_072).toBeLessThanOrEqual(10 * defaultPace.bytesPerSecond + 131_072);
  expect(mostInASecond(times)).toBeLessThanOrEqual(4);
});

test("a halved pace sends half, never nothing, and comes back step by step", () => {
  const pacer = new Pacer(defaultPace);
  pacer.halve();
  expect(sent(pacer, 100, 10_000).length / 10).toBeCloseTo(defaultPace.publishesPerSecond / 2, 0);
  for (let times = 0; times < 20; times += 1) pacer.halve();
  expect(pacer.share).toBeGreaterThan(0);
  const shares = Array.from({ length: 40 }, () => {
    pacer.raise();
    return pacer.share;
  });
  expect(shares.at(-1)).toBe(1);
  expect(shares[0]).toBeLessThan(0.1);
});
