import { Duration } from "aws-cdk-lib";

/** What an invocation may need beside its requests: a cold start of about 1 s, and secrets, fetched within 3 s. */
const startMarginMs = 5_000;

/** After so long the clients of DynamoDB and SQS give up, in `lambdas/store/tables.ts` and `lambdas/forward/visibility.ts`. */
const storeCallMs = 7_000;

/**
 * Before and after its requests, an invocation that is fed by a queue makes up to five calls one after the other: the
 * route's state, histories, dead letters, histories again, visibility.
 */
const storeMarginMs = 5 * storeCallMs;

/** Tries of the function `circuit` in one invocation, each with a receive and a settling of its own; routes side by side. */
const probes = 3;

/** Longest that SQS keeps a message invisible, counted from its receive. */
const longestVisibilitySeconds = 43_200;

/** AWS's advice for a queue that feeds a function: room for the function's throttling and retries within a receive. */
const visibilityTimeouts = 6;

/** Seconds that an invocation with one message and nothing to write down may take. */
export function directSeconds(timeoutMs: number): number {
  return toSeconds(timeoutMs + startMarginMs);
}

/**
 * Seconds that an invocation with a batch may take, each request as slow as the API is allowed to be, and one after
 * the other: as it is right after an outage. At most 10 × 60 s + 40 s, below Lambda's 900 s.
 */
export function batchSeconds(messages: number, timeoutMs: number): number {
  return toSeconds(messages * timeoutMs + startMarginMs + storeMarginMs);
}

/**
 * Seconds that an invocation with a frame may take: two requests one after the other, each as slow as the API is allowed
 * to be, and what is written down. What is not attempted by then goes to the retry queues. At most 160 s.
 */
export function frameSeconds(timeoutMs: number): number {
  return batchSeconds(2, timeoutMs);
}

/** Seconds that an invocation of `circuit` may take. At most 3 × 95 s + 5 s. */
export function circuitSeconds(timeoutMs: number): number {
  return toSeconds(probes * (timeoutMs + storeMarginMs) + startMarginMs);
}

/** Seconds that an invocation of `dead-letters` may take, which makes no requests. */
export const recordSeconds = toSeconds(startMarginMs + storeMarginMs);

/** Seconds that an invocation of `reply` may take, which makes no requests. */
export const replySeconds = recordSeconds;

/**
 * Seconds that an invocation of `push` may take: one less than an integration of an HTTP API, so that the caller has the
 * function's own answer. Longest waits for a reply are 25 s.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
export const pushSeconds = 29;

/** Seconds that an invocation of `sweep` may take: then the next one begins, which is every minute. */
export const sweepSeconds = 60;

/** Longest delay in seconds that a message can be given at the end of an invocation. */
export function maximumDelaySeconds(functionSeconds: number): number {
  return longestVisibilitySeconds - functionSeconds;
}

/** Visibility timeout of a queue that feeds a function. */
export function visibilityTimeout(functionSeconds: number): Duration {
  return Duration.seconds(visibilityTimeouts * functionSeconds);
}

function toSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
