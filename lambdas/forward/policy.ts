import type { FailureCode } from "./failure.ts";

/** What a failure says, and so what becomes of the message. */
export type FailureClass =
  | "transient" // it may succeed later: the full schedule
  | "message" // the fault is the message's own: dead letter after one attempt
  | "suspect" // one device's fault or the whole endpoint's, since paths contain the device: see `nextStep`
  | "endpoint"; // the whole endpoint's, whichever device it was: the circuit opens at once, and the full schedule

/** The first that matches decides; `x` stands for any digit. */
const classes: readonly (readonly [code: FailureCode | "HTTP_5xx" | "HTTP_xxx", FailureClass])[] = [
  ["TIMEOUT", "transient"],
  ["CONNECTION", "transient"], // refused, reset, no such name
  ["RESPONSE_INVALID", "transient"],
  ["INTERNAL", "transient"], // ours: a secret that cannot be had, say
  ["TLS_INVALID", "endpoint"], // one certificate for all devices
  ["REDIRECT_REFUSED", "suspect"],
  ["HTTP_401", "suspect"],
  ["HTTP_403", "suspect"],
  ["HTTP_404", "suspect"],
  ["HTTP_405", "suspect"],
  ["HTTP_410", "suspect"],
  ["HTTP_408", "transient"],
  ["HTTP_409", "transient"],
  ["HTTP_425", "transient"],
  ["HTTP_429", "transient"],
  ["HTTP_5xx", "transient"],
  ["HTTP_xxx", "message"], // 400, 411, 413, 414, 415, 422, 431 and every other 4xx
];

const hours = 3600;

/**
 * Seconds from each failed attempt to the next: 14 attempts in all. The last six are as long as SQS can keep a message
 * invisible, 12 hours from its receive, and are cut to `maximumDelaySeconds`. Together 89.6 hours less six times the
 * function's time limit; with the most jitter, and a limit of 15 minutes, 79 hours.
 */
const defaultDelaysSeconds: readonly number[] = [
  ...[5, 30, 300, 1800, 2 * hours, 5 * hours, 10 * hours],
  ...Array<number>(6).fill(12 * hours),
];

/** Attempts of a suspect message before it is judged: at once and after the first two delays. */
const suspectAttempts = 3;

/** The part of a delay that jitter may take away, so that what failed together does not come back together. */
const jitter = 0.1;

export function classify(code: FailureCode): FailureClass {
  const found = classes.find(([pattern]) => pattern === code || pattern === code.replace(/\d\d$/, "xx"));
  return (found ?? classes.find(([pattern]) => pattern === "HTTP_xxx"))?.[1] ?? "transient";
}

export interface ScheduleOptions {
  /** Instead of the delays above. */
  readonly delaysSeconds: readonly number[] | undefined;
  /** What a message can be kept invisible from the end of an invocation on. */
  readonly maximumDelaySeconds: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface FailedAttempt {
  readonly failure: FailureClass;
  /** How many there were, this one included. */
  readonly attempts: number;
  /** Whether the route has had a success since the message's first attempt. */
  readonly othersSucceed: boolean;
  /** Seconds that the API wants to be left alone for. */
  readonly retryAfterSeconds?: number | undefined;
}

/** Seconds until the next attempt, whole ones; undefined where there is none, and the message is a dead letter. */
export type NextStep = (attempt: FailedAttempt) => number | undefined;

/**
 * Decides what follows a failed attempt.
 *
 * A suspect message whose first attempts failed is a dead letter only where others succeeded meanwhile: else the
 * endpoint may be at fault, however few devices have noticed, and it keeps to the full schedule.
 */
export function createSchedule({ delaysSeconds, maximumDelaySeconds, random }: ScheduleOptions): NextStep {
  const delays = delaysSeconds ?? defaultDelaysSeconds;
  return ({ failure, attempts, othersSucceed, retryAfterSeconds = 0 }) => {
    if (failure === "message") return undefined;
    if (failure === "suspect" && attempts >= suspectAttempts && othersSucceed) return undefined;
    const delay = delays[attempts - 1];
    if (delay === undefined) return undefined;
    // Rounded up, since SQS takes whole seconds and jitter is 10 % at the most.
    const jittered = Math.ceil(Math.min(delay, maximumDelaySeconds) * (1 - jitter * random()));
    return Math.min(Math.max(jittered, retryAfterSeconds), maximumDelaySeconds);
  };
}
