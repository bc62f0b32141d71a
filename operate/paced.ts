import { setTimeout as sleep } from "node:timers/promises";

export interface Pace {
  /** Starts a second at most. */
  readonly perSecond: number;
  /** How many may be under way at one time; ten by default, which hides the way to AWS and back. */
  readonly parallel?: number;
  /** Milliseconds of a clock, and a wait of so many. */
  readonly now?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** Does something for each item, at a steady pace. Rejects with the first failure, after what had begun has ended. */
export async function paced<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { perSecond, parallel = 10, now = () => performance.now(), wait = sleep }: Pace,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const intervalMs = 1000 / perSecond;
  const queue = iterate(items);
  let nextAt = now();
  let hasFailed = false;
  const takers = Array.from({ length: parallel }, async () => {
    for (let next = await queue.next(); !next.done && !hasFailed; next = await queue.next()) {
      const at = Math.max(now(), nextAt);
      nextAt = at + intervalMs;
      if (at > now()) await wait(at - now());
      await work(next.value);
    }
  });
  const ends = await Promise.allSettled(
    takers.map((taker) =>
      taker.catch((error: unknown) => {
        hasFailed = true;
        throw error;
      }),
    ),
  );
  await queue.return(undefined);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** An async generator gives each of those who ask it at one time an item of its own. */
async function* iterate<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
  yield* items;
}
