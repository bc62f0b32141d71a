import { misbehave } from "../misbehave.ts";

/** Every second attempt, which the circuit breaker may or may not take for an outage. */
export const apiErrors = misbehave("errors", [0.5]);
