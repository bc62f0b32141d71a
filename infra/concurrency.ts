import type { Scheme } from "../scheme/scheme.ts";
import { SchemeError } from "../scheme/scheme-error.ts";

/** Messages that one invocation gets from a queue at most, SQS's own batch: a larger one would need a batching window. */
export const batchSize = 10;

/** Fewest and most concurrent invocations that an event source mapping can be limited to. */
const mappingConcurrency = { minimum: 2, maximum: 1000 } as const;

/** The part of `api.maxConcurrency` that QoS 0 gets where QoS 1 needs some too: one request in five. */
const directShare = 5;

/** The part of a route's requests that is for what failed before: enough for a backlog to drain beside fresh messages. */
const retryShare = 2 / 5;

/** Invocations of a fresh lane that are wanted before they get several requests each: a slow message blocks one of them. */
const freshInvocations = 3;

/** How the requests that the API may have at one time are divided. */
export interface Concurrency {
  /** Reserved concurrency of the direct function, which makes one request per invocation; 0 without QoS 0 routes. */
  readonly direct: number;
  /** Of each QoS 1 route; undefined without any. */
  readonly lanes: { readonly fresh: LaneConcurrency; readonly retry: LaneConcurrency } | undefined;
}

/** What one queue of a route has. */
export interface LaneConcurrency {
  /** At one time, at most. */
  readonly invocations: number;
  /** At one time in each of them. */
  readonly parallelRequests: number;
}

/**
 * Divides `api.maxConcurrency`: direct + QoS 1 routes × the requests of both lanes never exceeds it.
 *
 * An invocation is paid by its time, so that a whole batch at once is the cheapest: invocations get as many parallel
 * requests as a batch has messages before there are more of them. What the routes' even shares leave goes to QoS 0.
 *
 * @throws {SchemeError} `CONFIG_RANGE` where the least that AWS can be limited to is more.
 */
export function divideConcurrency({ api, routes }: Pick<Scheme, "api" | "routes">): Concurrency {
  const queued = [...routes.values()].filter((route) => route.qos === 1).length;
  const hasDirect = queued < routes.size;
  const leastPerRoute = 2 * mappingConcurrency.minimum;
  const least = (hasDirect ? 1 : 0) + queued * leastPerRoute;
  if (api.maxConcurrency < least) throw tooSmall(api.maxConcurrency, least, queued, hasDirect);
  if (queued === 0) return { direct: api.maxConcurrency, lanes: undefined };

  const forDirect = hasDirect ? Math.max(1, Math.floor(api.maxConcurrency / directShare)) : 0;
  const perRoute = Math.max(leastPerRoute, Math.floor((api.maxConcurrency - forDirect) / queued));
  const retry = divideLane(Math.floor(perRoute * retryShare), mappingConcurrency.minimum);
  const fresh = divideLane(perRoute - requestsOf(retry), freshInvocations);
  const used = queued * (requestsOf(fresh) + requestsOf(retry));
  return { direct: hasDirect ? api.maxConcurrency - used : 0, lanes: { fresh, retry } };
}

/** Requests of a lane at one time. */
export function requestsOf({ invocations, parallelRequests }: LaneConcurrency): number {
  return invocations * parallelRequests;
}

function divideLane(share: number, wantedInvocations: number): LaneConcurrency {
  const requests = Math.max(mappingConcurrency.minimum, share);
  const parallelRequests = Math.min(batchSize, Math.max(1, Math.floor(requests / wantedInvocations)));
  const invocations = Math.min(mappingConcurrency.maximum, Math.floor(requests / parallelRequests));
  return { invocations, parallelRequests };
}

function tooSmall(value: number, least: number, queued: number, hasDirect: boolean): SchemeError {
  const parts = [
    ...(queued > 0 ? [`${queued} QoS 1 routes × 2 queues × ${mappingConcurrency.minimum} invocations`] : []),
    ...(hasDirect ? ["1 for QoS 0 routes"] : []),
  ];
  const message = `${value} is too small: ${parts.join(" + ")}, the least that AWS can be limited to, makes ${least}`;
  return new SchemeError([{ code: "CONFIG_RANGE", at: "api.maxConcurrency", message }]);
}
