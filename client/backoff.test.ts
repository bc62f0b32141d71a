import { expect, test } from "vitest";
import { reconnectDelayMs } from "./backoff.ts";

test.for([
  [0, 0, 0],
  [0, 0.5, 500],
  [1, 0.5, 1_000],
  [4, 0.5, 8_000],
  [5, 0.5, 15_000], // 32 s are more than the limit
  [5_000, 1, 30_000], // 2 ** 5000 is no number any more
] as const)("attempt %i, chance %d: %d ms", ([attempt, random, delayMs]) => {
  expect(reconnectDelayMs(attempt, random, { minMs: 1_000, maxMs: 30_000 })).toBe(delayMs);
});
