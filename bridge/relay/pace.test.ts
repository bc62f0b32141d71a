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
  expect(mostInASecond(times)).toBeLessThanOrEqual(1.05 * defaultPace.publishesPerSecond + 1);
  expect(times.length).toBeGreaterThan(9.9 * defaultPace.publishesPerSecond);
});

test("a relay that comes late catches up with a twentieth of a second, and no more after a rest", () => {
  const late = sent(new Pacer(defaultPace), 100, 10_000, 40);
  expect(late.length).toBeGreaterThan(9.8 * defaultPace.publishesPerSecond);
  expect(mostInASecond(late)).toBeLessThanOrEqual(1.05 * defaultPace.publishesPerSecond + 1);
  const pacer = new Pacer(defaultPace);
  pacer.spend(100, 0);
  const burst = Array.from({ length: 20 }, () => {
    const isFree = pacer.waitMs(60_000) === 0;
    if (isFree) pacer.spend(100, 60_000);
    return isFree;
  });
  expect(burst.filter((isFree) => isFree).length).toBeLessThanOrEqual(6);
});

test("large publishes are spaced by their bytes", () => {
  const times = sent(new Pacer(defaultPace), 131_072, 10_000);
  expect(times.length * 131_072).toBeLessThanOrEqual(10.05 * defaultPace.bytesPerSecond + 131_072);
  expect(mostInASecond(times)).toBeLessThanOrEqual(5);
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
