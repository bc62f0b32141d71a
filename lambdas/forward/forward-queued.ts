import type { SQSRecord } from "aws-lambda";
import type { Scheme } from "../../scheme/scheme.ts";
import type { BatchAnswer } from "../settle-each.ts";
import { type ForwardBatchOptions, forwardBatch } from "./forward-batch.ts";
import { createGatedAttempt, type GatedAttemptOptions } from "./gated-attempt.ts";
import type { Report } from "./report.ts";

export interface ForwardQueuedOptions
  extends GatedAttemptOptions,
    Omit<ForwardBatchOptions, "routes" | "attempt" | "gateOf" | "now"> {
  readonly scheme: Pick<Scheme, "routes" | "api">;
  readonly report: Report;
}

/** Puts together what forwards the batches of one lane's queues. */
export function createForwardQueued(
  options: ForwardQueuedOptions,
): (records: readonly SQSRecord[]) => Promise<BatchAnswer> {
  const { scheme, now = Date.now } = options;
  const { routes } = scheme;
  const gated = createGatedAttempt(options);
  return (records) => forwardBatch(records, { ...options, ...gated, routes, now });
}
