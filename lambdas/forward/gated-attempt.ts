import type { Scheme } from "../../scheme/scheme.ts";
import { type AttemptOptions, createAttempt } from "./attempt.ts";
import { createSchedule, type ScheduleOptions } from "./policy.ts";
import { RouteGate, type RouteGateOptions } from "./route-gate.ts";

export interface GatedAttemptOptions
  extends Pick<RouteGateOptions, "states" | "lane" | "announce" | "onError">,
    Pick<AttemptOptions, "deliver" | "report">,
    Pick<ScheduleOptions, "maximumDelaySeconds"> {
  readonly scheme: Pick<Scheme, "api">;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** From 0 up to 1. */
  readonly random?: (() => number) | undefined;
}

/** Puts together what attempts messages in one execution environment, and the gates of their routes that it asks. */
export function createGatedAttempt(options: GatedAttemptOptions) {
  const { scheme, maximumDelaySeconds, now = Date.now, random = Math.random } = options;
  const { retryDelaysSeconds: delaysSeconds } = scheme.api;
  const gates = new Map<string, RouteGate>();
  const gateOf = (route: string): RouteGate => {
    const firstDelaySeconds = delaysSeconds?.[0];
    const gate = gates.get(route) ?? new RouteGate(route, { ...options, now, random, firstDelaySeconds });
    gates.set(route, gate);
    return gate;
  };
  const nextStep = createSchedule({ delaysSeconds, maximumDelaySeconds, random });
  return { gateOf, attempt: createAttempt({ ...options, nextStep, gateOf, now }) };
}
