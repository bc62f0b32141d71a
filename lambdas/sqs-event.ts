import type { SQSEvent } from "aws-lambda";

/** Whether an event is a batch of a queue, for functions that are invoked by others, too. */
export function isSqsEvent(event: unknown): event is SQSEvent {
  return typeof event === "object" && event !== null && "Records" in event && Array.isArray(event.Records);
}
