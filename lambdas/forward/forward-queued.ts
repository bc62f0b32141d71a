import type { SQSRecord } from "aws-lambda";
import type { Scheme } from "../../scheme/scheme.ts";
import type { BatchAnswer } from "../settle-each.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import { createAttempt } from "./attempt.ts";
import type { Deliver } from "./deliver.ts";
import { type ForwardBatchOptions, forwardBatch } from "./forward-batch.ts";
import type { OpenedRecord } from "./open-record.ts";
import { createSchedule } from "./policy.ts";
import type { Report } from "./report.ts";
import { RouteGate, type RouteGateOptions } from "./route-gate.ts";
import type { SettleOptions } from "./settle.ts";

export interface ForwardQueuedOptions
  extends Omit<SettleOptions, "attemptLog">,
    Pick<RouteGateOptions, "states" | "lane" | "announce">,
    Pick<ForwardBatchOptions, "online"> {
  readonly scheme: Pick<Scheme, "routes" | "api">;
  readonly deliver: Deliver;
  readonly report: Report;
  readonly attemptLog: Pick<AttemptLog, "read" | "write">;
  /** Keeps messages as they came, those of the routes that want it. */
  readonly keep: (opened: readonly OpenedRecord[]) => Promise<void>;
  readonly parallelRequests: number;
  /** What a message can be kept invisible from the end of an invocation on. */
  readonly maximumDelaySeconds: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** Puts together what forwards the batches of one lane's queues. */
export function createForwardQueued(
  options: ForwardQueuedOptions,
): (records: readonly SQSRecord[]) => Promise<BatchAnswer> {
  const { scheme, maximumDelaySeconds, now = Date.now, random = Math.random } = options;
  const { routes, api } = scheme;
  const firstDelaySeconds = api.retryDelaysSeconds?.[0];
  const gates = new Map<string, RouteGate>();
  const gateOf = (route: string): RouteGate => {
    const gate = gates.get(route) ?? new RouteGate(route, { ...options, now, random, firstDelaySeconds });
    gates.set(route, gate);
    return gate;
  };
  const nextStep = createSchedule({ delaysSeconds: api.retryDelaysSeconds, maximumDelaySeconds, random });
  const attempt = createAttempt({ ...options, nextStep, gateOf, now });
  return (records) => forwardBatch(records, { ...options, routes, attempt, gateOf, now });
}
