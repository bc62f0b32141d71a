import type { Plan } from "./plan.ts";
import { killEngine } from "./plans/kill-engine.ts";

/** What `--plan` names. */
export const plans = { "kill-engine": killEngine } satisfies Readonly<Record<string, Plan>>;
export type PlanName = keyof typeof plans;

export function isPlanName(name: string): name is PlanName {
  return Object.hasOwn(plans, name);
}
