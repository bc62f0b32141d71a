import type { Plan } from "./plan.ts";

/** The plans one after the other, in an order drawn by the seed, each in an equal share of the run. */
export function inRandomOrder(plans: readonly Plan[]): Plan {
  return async (context) => {
    const { random, share } = context;
    const order = shuffled(plans, random);
    const width = (share.to - share.from) / order.length;
    for (const [index, plan] of order.entries()) {
      const from = share.from + index * width;
      await plan({ ...context, share: { from, to: from + width } });
    }
  };
}

/** Fisher–Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(Math.floor(random() * rest.length), 1));
}
