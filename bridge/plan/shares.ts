import { batchSize, type Concurrency, divideConcurrency, type LaneConcurrency } from "../../infra/concurrency.ts";
import { defineScheme } from "../../scheme/define-scheme.ts";
import type { PlanOptions } from "./plan.ts";
import { requestsAtPeak, type Workload } from "./workload.ts";

/** What a plan says of the functions. */
export interface ShareOptions {
  readonly maxConcurrency: number | undefined;
  /** Instead of what follows from it. */
  readonly parallelRequests: number | undefined;
  readonly memoryMb: number;
}

/** What `api.maxConcurrency` is by default, and at the most. */
const usualConcurrency = 50;
const mostConcurrency = 10_000;

/** A route's two queues have four of it at the least, and frames two. */
const usualPerRoute = 10;

/** Of the requests that the peak needs, as many times are taken for `api.maxConcurrency`: retry queues have two fifths of it. */
const headroom = 2;

/**
 * As `infra/` divides `api.maxConcurrency`. Without one there are as many invocations as are needed: with a whole batch each,
 * and with as much of a frame side by side as a scheme gives that has what the peak needs twice.
 *
 * @throws {SchemeError}
 */
export function sharesOf(
  workload: Workload,
  { maxConcurrency, parallelRequests, memoryMb }: ShareOptions,
): PlanOptions["shares"] {
  const share = (lane: LaneConcurrency | undefined) => ({
    invocations: maxConcurrency === undefined ? undefined : lane?.invocations,
    parallelRequests: parallelRequests ?? lane?.parallelRequests ?? batchSize,
    memoryMb,
  });
  const { routes } = workload;
  const lanes = maxConcurrency === undefined ? undefined : divide("bridge", routes, maxConcurrency).lanes;
  const { frames } = divide("relay", routes, maxConcurrency ?? enoughFor(workload));
  return { queued: share(lanes?.fresh), frames: share(frames) };
}

function enoughFor(workload: Workload): number {
  const wanted = Math.ceil(headroom * requestsAtPeak(workload));
  return Math.min(mostConcurrency, Math.max(usualConcurrency, usualPerRoute * workload.routes, wanted));
}

function divide(uplink: "bridge" | "relay", routes: number, maxConcurrency: number): Concurrency {
  const names = Array.from({ length: routes }, (_, index) => `r${index}`);
  const scheme = defineScheme({
    name: "plan",
    uplink,
    api: { url: "https://api.example.com", maxConcurrency },
    routes: Object.fromEntries(names.map((name) => [name, { topic: `${name}/{deviceId}`, qos: 1 }])),
  });
  return divideConcurrency(scheme);
}
