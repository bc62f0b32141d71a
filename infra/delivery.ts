import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { QueueEnvironment } from "../lambdas/forward/environment.ts";
import type { PowertoolsEnvironment } from "../lambdas/read-variable.ts";
import type { Scheme } from "../scheme/scheme.ts";
import type { Stores } from "./stores.ts";
import { maximumDelaySeconds } from "./time-limits.ts";

/** What the functions share that deliver messages from queues. */
export interface DeliveryProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  /** Base of every request, a parameter's value as a rule. */
  readonly apiUrl: string;
  readonly stores: Stores;
  /** Wakes the function `circuit`. */
  readonly circuitQueue: IQueue;
}

/** The environment of a function that delivers messages from queues, but for the lane and the online events. */
export function deliveryEnvironment(
  { apiUrl, stores, circuitQueue }: DeliveryProps,
  { parallelRequests, timeoutSeconds }: { readonly parallelRequests: number; readonly timeoutSeconds: number },
) {
  return {
    API_URL: apiUrl,
    PARALLEL_REQUESTS: String(parallelRequests),
    DELIVERIES_TABLE: stores.deliveries.tableName,
    DEAD_LETTERS_TABLE: stores.deadLetters.tableName,
    MESSAGES_TABLE: stores.messages?.tableName ?? "",
    CIRCUIT_QUEUE_URL: circuitQueue.queueUrl,
    MAXIMUM_DELAY_SECONDS: String(maximumDelaySeconds(timeoutSeconds)),
  } satisfies Omit<QueueEnvironment, "LANE" | "COMMANDS_TABLE" | "ONLINE_QUEUE_URL" | keyof PowertoolsEnvironment>;
}
