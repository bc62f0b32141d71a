import type { Scheme } from "../scheme/scheme.ts";
import { SchemeError } from "../scheme/scheme-error.ts";

/** Messages that one invocation gets from a queue at most, SQS's own batch: a larger one would need a batching window. */
export const batchSize = 10;

/** Fewest and most concurrent invocations that an event source mapping can be limited to. */
const mappingConcurrency = { minimum: 2, maximum: 1000 } as const;

/** The part of `api.maxConcurrency` that QoS 0 gets where QoS 1 needs some too: one request in five. */
const directShare = 5;

/** How the requests that the API may have at one time are divided. */
export interface Concurrency {
  /** Reserved concurrency of the direct function, which makes one request per invocation; 0 without QoS 0 routes. */
  readonly direct: number;
  /** Invocations at one time for each QoS 1 route's queue; 0 without QoS 1 routes. */
  readonly perQueue: number;
  /** Requests at one time in each of these invocations. */
  readonly parallelRequests: number;
}

/**
 * Divides `api.maxConcurrency`: direct + queues × perQueue × parallelRequests never exceeds it.
 *
 * An invocation is paid by its time, so that a whole batch at once is the cheapest: invocations get as many parallel
 * requests as a batch has messages before there are more of them. What the queues' even shares leave goes to QoS 0.
 *
 * @throws {SchemeError} `CONFIG_RANGE` where the least that AWS can be limited to is more.
 */
export function divideConcurrency({ api, routes }: Pick<Scheme, "api" | "routes">): Concurrency {
  const queues = [...routes.values()].filter((route) => route.qos === 1).length;
  const hasDirect = queues < routes.size;
  const least = (hasDirect ? 1 : 0) + queues * mappingConcurrency.minimum;
  if (api.maxConcurrency < least) throw tooSmall(api.maxConcurrency, least, queues, hasDirect);
  if (queues === 0) return { direct: api.maxConcurrency, perQueue: 0, parallelRequests: 1 };

  const forDirect = hasDirect ? Math.max(1, Math.floor(api.maxConcurrency / directShare)) : 0;
  const perRoute = Math.max(mappingConcurrency.minimum, Math.floor((api.maxConcurrency - forDirect) / queues));
  const parallelRequests = Math.min(batchSize, Math.floor(perRoute / mappingConcurrency.minimum));
  const perQueue = Math.min(mappingConcurrency.maximum, Math.floor(perRoute / parallelRequests));
  const direct = hasDirect ? api.maxConcurrency - queues * perQueue * parallelRequests : 0;
  return { direct, perQueue, parallelRequests };
}

function tooSmall(value: number, least: number, queues: number, hasDirect: boolean): SchemeError {
  const parts = [
    ...(queues > 0 ? [`${queues} queues of QoS 1 routes × ${mappingConcurrency.minimum} invocations`] : []),
    ...(hasDirect ? ["1 for QoS 0 routes"] : []),
  ];
  const message = `${value} is too small: ${parts.join(" + ")}, the least that AWS can be limited to, makes ${least}`;
  return new SchemeError([{ code: "CONFIG_RANGE", at: "api.maxConcurrency", message }]);
}

/** What an invocation may need beside its requests: a cold start of about 1 s, and secrets, fetched within 3 s. */
const startMarginMs = 5_000;

/**
 * Seconds that an invocation may take: its messages in as many rounds as their number and the parallel requests make,
 * each round as slow as the API is allowed to be. At most 10 × 60 s + 5 s, below Lambda's 900 s.
 */
export function invocationSeconds(messages: number, parallelRequests: number, timeoutMs: number): number {
  return Math.ceil((Math.ceil(messages / parallelRequests) * timeoutMs + startMarginMs) / 1000);
}
