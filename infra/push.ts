import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { defaultMaxPerSecond } from "../scheme/define-scheme.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { BrokerFunction } from "./broker-function.ts";
import type { BrokerNetwork } from "./broker-network.ts";
import { PushApi } from "./push-api.ts";
import type { Stores } from "./stores.ts";
import { pushSeconds } from "./time-limits.ts";

/** Seconds that a call takes at most on the average, for which there are invocations; one that waits takes longer. */
const meanSeconds = 0.2;

/** Callers that can wait for devices even where commands are rare. */
const leastInvocations = 10;

/** What the functions have in common that publish commands. */
export interface PublishingProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  readonly stores: Stores;
  /** A parameter's value as a rule. */
  readonly brokerUrls: string;
  /** Undefined where every broker can be reached from anywhere. */
  readonly network: BrokerNetwork | undefined;
}

/** The push endpoint. */
export class Push extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: PublishingProps) {
    super(scope, id);
    const { commands } = props.scheme;
    const maxPerSecond = commands?.maxPerSecond ?? defaultMaxPerSecond;
    const push = new BrokerFunction(this, "Function", {
      ...props,
      folder: "push",
      description: "Takes commands and feeds of the backend, records and publishes them",
      timeoutSeconds: pushSeconds,
      reservedConcurrentExecutions: pushInvocations(maxPerSecond),
    });
    this.function = push;
    props.stores.allowRecording(push);
    new PushApi(this, "Endpoint", { handler: push, maxPerSecond, authorization: commands?.authorization });
  }
}

/**
 * Invocations of `push` at one time, at most. Each holds a connection to every broker. And each caller that waits for a
 * device occupies one: without a limit they would take those of the account that the way up needs.
 */
export function pushInvocations(maxPerSecond: number): number {
  return Math.max(leastInvocations, Math.ceil(maxPerSecond * meanSeconds));
}
