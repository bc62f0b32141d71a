import type { PlanContext } from "./plan.ts";

/** Messages that a kill has to find under way: acknowledged by the broker and not at the API. */
const leastUndelivered = 100;
/** Messages that have to come to the API first, since the disturbance before. */
const leastReceived = 100;

/**
 * A moment of a run, counted in messages, so that it finds the engine at work however fast the machine is. Counted in
 * those that the broker has acknowledged, it mostly finds the engine taking a burst in; counted in those at the API, it
 * may find it with nothing but a backlog.
 */
export interface Moment {
  readonly counted: "acknowledged" | "received";
  /** Of the run's messages. */
  readonly part: number;
}

/** A moment in the plan's share of the run. */
export function randomMoment({ random, share }: PlanContext, counted: Moment["counted"] = "acknowledged"): Moment {
  return { counted, part: share.from + random() * (share.to - share.from) };
}

/** Moments in order, counted in the one and in the other way by turns. */
export function randomMoments(count: number, context: PlanContext): readonly Moment[] {
  const moments = Array.from({ length: count }, (_, index) => {
    return randomMoment(context, index % 2 === 0 ? "acknowledged" : "received");
  });
  return moments.sort((a, b) => a.part - b.part);
}

/** Resolves when the moment has come, messages flow, and enough of them are under way. */
export async function untilMoment({ counted, part }: Moment, { progress, tally }: PlanContext): Promise<void> {
  const { received } = tally;
  // While the circuit is open after a disturbance, another one would disturb nothing.
  const isFlowing = () => tally.received >= received + leastReceived;
  await progress.until(
    () => tally[counted] >= part * tally.messages && isFlowing() && tally.undelivered >= leastUndelivered,
  );
}
