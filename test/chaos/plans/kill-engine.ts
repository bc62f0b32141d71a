import type { PlanContext } from "../plan.ts";

/** Messages that a kill has to find under way: acknowledged by the broker and not at the API. */
const leastUndelivered = 100;

/** The part of a run in which it is killed: begun, and with enough left to find the messages above. */
const earliest = 0.02;
const latest = 0.8;

/**
 * Ends the engine with `kill -9` at random moments and starts it again at once.
 *
 * Moments are counted in messages, so that each finds the engine at work however fast the machine is: half of them in
 * those that the broker has acknowledged, which finds it taking in a burst, half in those at the API.
 */
export async function killEngine({ engine, tally, progress, random, kills, note }: PlanContext): Promise<void> {
  for (const { counted, part } of randomMoments(kills, random)) {
    await progress.until(() => tally[counted] >= part * tally.messages && tally.undelivered >= leastUndelivered);
    note("kill -9");
    await engine.kill();
    await engine.start();
  }
}

interface Moment {
  readonly counted: "acknowledged" | "received";
  /** Of the run's messages. */
  readonly part: number;
}

function randomMoments(count: number, random: () => number): readonly Moment[] {
  const moments = Array.from({ length: count }, (_, index): Moment => {
    return { counted: index % 2 === 0 ? "acknowledged" : "received", part: earliest + random() * (latest - earliest) };
  });
  return moments.sort((a, b) => a.part - b.part);
}
