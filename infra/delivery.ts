import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { QueueEnvironment, StoreEnvironment } from "../lambdas/forward/environment.ts";
import type { PowertoolsEnvironment } from "../lambdas/read-variable.ts";
import type { Scheme } from "../scheme/scheme.ts";
import type { Stores } from "./stores.ts";
import { maximumDelaySeconds } from "./time-limits.ts";

/** What the functions share that deliver messages and write down what becomes of them. */
export interface StoreProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  /** Base of every request, a parameter's value as a rule. */
  readonly apiUrl: string;
  readonly stores: Stores;
}

/** What the functions share that deliver messages from queues. */
export interface DeliveryProps extends StoreProps {
  /** Wakes the function `circuit`. */
  readonly circuitQueue: IQueue;
}

/** Left out of what follows: who has it says it. */
type Others = "LANE" | "COMMANDS_TABLE" | "ONLINE_QUEUE_URL" | keyof PowertoolsEnvironment;

/** The environment of a function that delivers messages, but for the lane and the online events. */
export function storeEnvironment({ apiUrl, stores }: StoreProps, parallelRequests: number) {
  return {
    API_URL: apiUrl,
    PARALLEL_REQUESTS: String(parallelRequests),
    DELIVERIES_TABLE: stores.deliveries.tableName,
    DEAD_LETTERS_TABLE: stores.deadLetters.tableName,
    MESSAGES_TABLE: stores.messages?.tableName ?? "",
  } satisfies Omit<StoreEnvironment, Others>;
}

/** The environment of a function that delivers messages from queues, but for the same. */
export function deliveryEnvironment(
  props: DeliveryProps,
  { parallelRequests, timeoutSeconds }: { readonly parallelRequests: number; readonly timeoutSeconds: number },
) {
  return {
    ...storeEnvironment(props, parallelRequests),
    CIRCUIT_QUEUE_URL: props.circuitQueue.queueUrl,
    MAXIMUM_DELAY_SECONDS: String(maximumDelaySeconds(timeoutSeconds)),
  } satisfies Omit<QueueEnvironment, Others>;
}
