import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

/** How many of so many requests pass at one moment. */
function passed(bucket: TokenBucket, count: number): number {
  return Array.from({ length: count }, () => bucket.take()).filter(Boolean).length;
}

test("a burst passes, and then as many as the rate lets through", () => {
  let now = 0;
  const bucket = new TokenBucket(500, 1000, () => now);
  expect(passed(bucket, 2000)).toBe(1000);
  now = 1;
  expect(passed(bucket, 10)).toBe(0); // half a request
  now = 2;
  expect(passed(bucket, 10)).toBe(1);
  now = 1002;
  expect(passed(bucket, 2000)).toBe(500);
  now = 3_600_000;
  expect(passed(bucket, 2000)).toBe(1000); // no more is saved than a burst
});
