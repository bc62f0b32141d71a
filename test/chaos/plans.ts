import { inRandomOrder } from "./in-random-order.ts";
import type { Plan } from "./plan.ts";
import { apiErrors } from "./plans/api-errors.ts";
import { apiFlood } from "./plans/api-flood.ts";
import { apiGarbage } from "./plans/api-garbage.ts";
import { apiHang } from "./plans/api-hang.ts";
import { apiOutage } from "./plans/api-outage.ts";
import { apiReset } from "./plans/api-reset.ts";
import { diskFull } from "./plans/disk-full.ts";
import { killApi } from "./plans/kill-api.ts";
import { killBroker } from "./plans/kill-broker.ts";
import { killEngine } from "./plans/kill-engine.ts";

/** Those after which nothing may be missing. */
const lossless = {
  "kill-engine": killEngine,
  "kill-api": killApi,
  "api-outage": apiOutage,
  "api-hang": apiHang,
  "api-reset": apiReset,
  "api-garbage": apiGarbage,
  "api-flood": apiFlood,
  "api-errors": apiErrors,
  "disk-full": diskFull,
} satisfies Readonly<Record<string, Plan>>;

/** What `--plan` names. */
export const plans = {
  all: inRandomOrder(Object.values(lossless)),
  ...lossless,
  "kill-broker": killBroker,
} satisfies Readonly<Record<string, Plan>>;
export type PlanName = keyof typeof plans;

export function isPlanName(name: string): name is PlanName {
  return Object.hasOwn(plans, name);
}
