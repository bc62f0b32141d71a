import { resourceNames } from "../../../scheme/resource-names.ts";
import { createDeliveryParts, type FunctionParts } from "../delivery-parts.ts";
import type { FramesSettings } from "../environment.ts";
import { sendBatch } from "../send-batch.ts";
import { createForwardFrames } from "./forward-frames.ts";
import { handOn } from "./hand-on.ts";

/** Puts together what the function does with frames, on AWS's services. */
export function createFrames(settings: FramesSettings, parts: FunctionParts): ReturnType<typeof createForwardFrames> {
  const names = resourceNames(parts.scheme);
  // Queues of one account and region differ in the last segment of their URLs.
  const urlOf = (queueName: string) => new URL(queueName, settings.framesQueueUrl).href;
  return createForwardFrames({
    ...settings,
    ...createDeliveryParts({ ...settings, circuitQueueUrl: urlOf(names.circuitQueue) }, parts),
    handOn: (messages) => handOn(messages, (route, batch) => sendBatch(urlOf(names.retryQueue(route)), batch)),
  });
}
