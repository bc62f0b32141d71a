import { type QueueEnvironment, type QueueSettings, readQueueSettings } from "../forward/environment.ts";
import { readVariable, type Variables } from "../read-variable.ts";

/** The environment of `circuit`, which attempts messages from the retry queues as `forward` does. */
export interface CircuitEnvironment extends QueueEnvironment {
  readonly LANE: "retry";
  /** The function that the retry queues feed. */
  readonly RETRY_FUNCTION_NAME: string;
}

export interface CircuitSettings extends Omit<QueueSettings, "lane"> {
  readonly retryFunctionName: string;
}

/** Reads the environment once. A missing or odd value names its variable. */
export function readEnvironment(variables: Variables): CircuitSettings {
  return { ...readQueueSettings(variables), retryFunctionName: readVariable(variables, "RETRY_FUNCTION_NAME") };
}
