import type { PlanOptions } from "./plan.ts";
import type { Workload } from "./workload.ts";

/** 100 devices that send 10 messages/s together, to an API that answers in 100 ms. */
export function workloadOf(change: Partial<Workload> = {}): Workload {
  return {
    ...{
      devices: 100,
      ratePerDevice: 0.1,
      peakFactor: 1,
      hoursPerDay: 24,
      payloadBytes: 250,
      topicBytes: 30,
      routes: 1,
    },
    apiMs: 100,
    ...change,
  };
}

const share = { invocations: undefined, parallelRequests: 10, memoryMb: 512 };

/** Frames of 900 ms and up to 100 messages, ten requests side by side. */
export function optionsOf(change: Partial<PlanOptions> = {}): PlanOptions {
  return {
    batching: { maxMessages: 100, delayMs: 900, compression: 0.3 },
    shares: { queued: share, frames: share },
    ...{ regionSize: "large", raised: {}, keepDays: 0, hasLease: false, hasCommands: false, api: "region" },
    ...change,
  };
}
