import { expect, test } from "vitest";
import { costOf, prices } from "./prices.ts";

test.for([
  [prices.messaging, 0, 0],
  [prices.messaging, 1_000_000, 1],
  [prices.messaging, 1_000_000_000, 1_000],
  [prices.messaging, 6_000_000_000, 1_000 + 4_000 * 0.8 + 1_000 * 0.7], // all three tiers
  [prices.sqs, 2_500_000, 1],
  [prices.durationArm, 400_000, 5.333_36],
] as const)("a month's price", ([price, amount, usd]) => {
  expect(costOf(price, amount)).toBeCloseTo(usd, 6);
});

test("each price has a page", () => {
  for (const { page, tiers } of Object.values(prices)) {
    expect(page).toMatch(/^aws\.amazon\.com\/[a-z0-9-]+\/pricing/);
    expect("upTo" in (tiers.at(-1) ?? {})).toBe(false); // else what is beyond it would cost nothing
  }
});
