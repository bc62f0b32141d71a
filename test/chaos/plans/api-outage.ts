import { randomSeconds } from "../misbehave.ts";
import { randomMoment, untilMoment } from "../moments.ts";
import type { PlanContext } from "../plan.ts";

/** Closes the API's port for some seconds. */
export async function apiOutage(context: PlanContext): Promise<void> {
  const { api, progress, note } = context;
  const moment = randomMoment(context);
  const lasting = randomSeconds(context);
  await untilMoment(moment, context);
  note(`the API's port is closed for ${lasting.toFixed(1)} s`);
  await api.behave({ kind: "down" });
  await progress.pass(lasting);
  await api.behave({ kind: "proper" });
}
