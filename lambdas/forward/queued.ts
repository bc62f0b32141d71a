import { createDeliveryParts, type FunctionParts } from "./delivery-parts.ts";
import type { QueueSettings } from "./environment.ts";
import { createForwardQueued } from "./forward-queued.ts";
import { changeVisibility } from "./visibility.ts";

/** Puts together what a function that is fed by queues does with a batch, on AWS's services. */
export function createQueued(settings: QueueSettings, parts: FunctionParts): ReturnType<typeof createForwardQueued> {
  const delivery = createDeliveryParts(settings, parts);
  return createForwardQueued({
    ...settings,
    ...delivery,
    changeVisibility: (changes) => changeVisibility(changes, delivery.onError),
  });
}
