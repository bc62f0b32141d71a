import { type Fault, faults } from "./api/behaviour.ts";
import { randomMoment, untilMoment } from "./moments.ts";
import type { Plan, PlanContext } from "./plan.ts";

/** A plan in which the API fails a part of the attempts, from 0 to 1; then, where there are more parts, the next. */
export function misbehave(fault: Fault, parts: readonly number[]): Plan {
  return async (context) => {
    const { api, progress, note } = context;
    const moment = randomMoment(context);
    const phases = parts.map((part) => ({ part, lasting: randomSeconds(context) }));
    await untilMoment(moment, context);
    for (const { part, lasting } of phases) {
      note(`the API ${faults[fault]}, ${part * 100} % of the attempts for ${lasting.toFixed(1)} s`);
      await api.behave({ kind: "faulty", fault, part });
      await progress.pass(lasting);
    }
    await api.behave({ kind: "proper" });
  };
}

/** How long a disturbance of the API lasts: from half of the run's seconds up to all. */
export function randomSeconds({ random, faultSeconds }: PlanContext): number {
  return faultSeconds * (0.5 + random() / 2);
}
