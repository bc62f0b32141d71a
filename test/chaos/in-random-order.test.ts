import { expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";
import { inRandomOrder } from "./in-random-order.ts";
import type { Plan, PlanContext, Share } from "./plan.ts";

const names = ["a", "b", "c", "d", "e"];

test("a seed repeats the order, another one changes it, and each plan has a share of its own", async () => {
  const [first, again, other] = [await run(1), await run(1), await run(2)];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  expect(first.map(([name]) => name).sort()).toEqual(names);
  expect(first.map(([, { from }]) => from.toFixed(2))).toEqual(["0.00", "0.10", "0.20", "0.30", "0.40"]);
});

async function run(seed: number) {
  const done: (readonly [string, Share])[] = [];
  const plans = names.map(
    (name): Plan =>
      async ({ share }) =>
        void done.push([name, share]),
  );
  await inRandomOrder(plans)({ random: seededRandom(seed), share: { from: 0, to: 0.5 } } as PlanContext);
  return done;
}
