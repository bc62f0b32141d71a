import { randomMoments, untilMoment } from "../moments.ts";
import type { PlanContext } from "../plan.ts";

/** Ends the API with `kill -9` at random moments and starts it again on the same port. */
export async function killApi(context: PlanContext): Promise<void> {
  const { api, kills, note } = context;
  for (const moment of randomMoments(kills, context)) {
    await untilMoment(moment, context);
    note("kill -9 of the API");
    await api.kill();
    await api.start();
  }
}
