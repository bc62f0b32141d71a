import { maxFrameMembers } from "../scheme/frame/frame.ts";
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

/** Invocations that fresh messages want before they get several requests each: a slow message blocks one of them. */
const freshInvocations = 3;

/** What the fresh queue of a route has where a relay stands: the least, since messages come in frames. */
const leastLane: LaneConcurrency = { invocations: mappingConcurrency.minimum, parallelRequests: 1 };

/** How the requests that the API may have at one time are divided. */
export interface Concurrency {
  /** Reserved concurrency of the direct function, which makes one request per invocation; 0 without QoS 0 routes. */
  readonly direct: number;
  /** Of each QoS 1 route; undefined without any. */
  readonly lanes: { readonly fresh: LaneConcurrency; readonly retry: LaneConcurrency } | undefined;
  /** Of the function that takes frames, whose invocations are its reserved concurrency; undefined without a relay. */
  readonly frames: LaneConcurrency | undefined;
}

/** What one queue of a route has, or the function that takes frames. */
export interface LaneConcurrency {
  /** At one time, at most. */
  readonly invocations: number;
  /** At one time in each of them. */
  readonly parallelRequests: number;
}

/**
 * Divides `api.maxConcurrency`: direct + frames + QoS 1 routes × the requests of both lanes never exceeds it.
 *
 * An invocation is paid by its time, so that a whole batch at once is the cheapest: invocations get as many parallel
 * requests as a batch, or a frame, has messages before there are more of them. Where a relay stands, the function that
 * takes its frames has what else the fresh queues and QoS 0 would. What even shares leave goes to QoS 0.
 *
 * @throws {SchemeError} `CONFIG_RANGE` where the least that AWS can be limited to is more.
 */
export function divideConcurrency(scheme: Pick<Scheme, "api" | "routes" | "framesRuleName">): Concurrency {
  const { maxConcurrency } = scheme.api;
  const needs = needsOf(scheme);
  const least = needs.direct + needs.frames + needs.queued * leastPerRoute;
  if (maxConcurrency < least) throw tooSmall(maxConcurrency, least, needs);
  return needs.frames === 0 ? divideByQueues(maxConcurrency, needs) : divideByFrames(maxConcurrency, needs);
}

/** What a scheme needs at the least: invocations with one request, and QoS 1 routes. */
interface Needs {
  readonly direct: 0 | 1;
  readonly frames: number;
  readonly queued: number;
}

/** Of a route with two queues. */
const leastPerRoute = 2 * mappingConcurrency.minimum;

function needsOf({ routes, framesRuleName }: Pick<Scheme, "routes" | "framesRuleName">): Needs {
  const queued = [...routes.values()].filter((route) => route.qos === 1).length;
  // As many as the mapping of its queue is limited to, which would else be throttled.
  const frames = framesRuleName === undefined ? 0 : mappingConcurrency.minimum;
  return { direct: queued < routes.size ? 1 : 0, frames, queued };
}

function divideByQueues(maximum: number, { direct, queued }: Needs): Concurrency {
  if (queued === 0) return { direct: maximum, lanes: undefined, frames: undefined };
  const forDirect = direct * Math.max(1, Math.floor(maximum / directShare));
  const perRoute = perRouteOf(maximum - forDirect, queued);
  const retry = divideRetryLane(perRoute);
  const fresh = divideLane(perRoute - requestsOf(retry), freshInvocations, batchSize);
  const used = queued * (requestsOf(fresh) + requestsOf(retry));
  return { direct: direct * (maximum - used), lanes: { fresh, retry }, frames: undefined };
}

function divideByFrames(maximum: number, { direct, queued }: Needs): Concurrency {
  const shared = maximum - direct;
  const retry = queued === 0 ? undefined : divideRetryLane(perRouteOf(shared, queued));
  const inQueues = retry === undefined ? 0 : queued * (requestsOf(leastLane) + requestsOf(retry));
  const frames = divideLane(shared - inQueues, freshInvocations, maxFrameMembers);
  return {
    direct: direct * (maximum - inQueues - requestsOf(frames)),
    lanes: retry && { fresh: leastLane, retry },
    frames,
  };
}

function perRouteOf(shared: number, queued: number): number {
  return Math.max(leastPerRoute, Math.floor(shared / queued));
}

/** Requests of a lane at one time. */
export function requestsOf({ invocations, parallelRequests }: LaneConcurrency): number {
  return invocations * parallelRequests;
}

function divideRetryLane(perRoute: number): LaneConcurrency {
  return divideLane(Math.floor(perRoute * retryShare), mappingConcurrency.minimum, batchSize);
}

/** @param messages Of an invocation at most. */
function divideLane(share: number, wantedInvocations: number, messages: number): LaneConcurrency {
  const requests = Math.max(mappingConcurrency.minimum, share);
  const parallelRequests = Math.min(messages, Math.max(1, Math.floor(requests / wantedInvocations)));
  const invocations = Math.min(mappingConcurrency.maximum, Math.floor(requests / parallelRequests));
  return { invocations, parallelRequests };
}

function tooSmall(value: number, least: number, { direct, frames, queued }: Needs): SchemeError {
  const parts = [
    ...(queued > 0 ? [`${queued} QoS 1 routes × 2 queues × ${mappingConcurrency.minimum} invocations`] : []),
    ...(frames > 0 ? [`${frames} invocations for the relay's frames`] : []),
    ...(direct > 0 ? ["1 for QoS 0 routes"] : []),
  ];
  const message = `${value} is too small: ${parts.join(" + ")}, the least that AWS can be limited to, makes ${least}`;
  return new SchemeError([{ code: "CONFIG_RANGE", at: "api.maxConcurrency", message }]);
}
