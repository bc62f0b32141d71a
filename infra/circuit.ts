import { Duration, Stack } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { CircuitEnvironment } from "../lambdas/circuit/environment.ts";
import { type DeliveryProps, deliveryEnvironment } from "./delivery.ts";
import type { ForwardLane, LaneQueue } from "./forward-lane.ts";
import { onlineEnvironment } from "./online-events.ts";
import { RequestFunction } from "./request-function.ts";
import { circuitSeconds } from "./time-limits.ts";

/** Between two looks at all circuits, and the age at which it is too late for one. */
const interval = Duration.minutes(1);

export interface CircuitProps extends DeliveryProps {
  /** The function that the retry queues feed. */
  readonly retry: ForwardLane;
  /** The retry queue of each QoS 1 route. */
  readonly retryQueues: readonly LaneQueue[];
}

/**
 * The function that pauses and resumes the retry queues as their routes' circuits open and close, and tries whether the
 * API is back. It runs every minute, and at once when `forward` opens a circuit.
 */
export class Circuit extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: CircuitProps) {
    super(scope, id);
    const { scheme, configFile, stores, circuitQueue, retry, retryQueues } = props;
    const timeoutSeconds = circuitSeconds(scheme.api.timeoutMs);
    const circuit = new RequestFunction<CircuitEnvironment>(this, "Function", {
      scheme,
      configFile,
      folder: "circuit",
      description: "Pauses the retry queues of routes whose API is down, and resumes them when it is back",
      // Of two at one time, each would undo what the other does.
      reservedConcurrentExecutions: 1,
      timeoutSeconds,
      environment: {
        // Routes are tried side by side, each with one request at a time.
        ...deliveryEnvironment(props, { parallelRequests: retryQueues.length, timeoutSeconds }),
        ...onlineEnvironment(undefined), // what it attempts is old, and says nothing of who is online
        LANE: "retry",
        RETRY_FUNCTION_NAME: retry.functionName,
      },
    });
    this.function = circuit;
    stores.allowAttempts(circuit);
    for (const { queue } of retryQueues) queue.grantConsumeMessages(circuit);
    circuit.allow(["lambda:ListEventSourceMappings"], ["*"]); // AWS knows no narrower resource for it
    circuit.allow(
      ["lambda:UpdateEventSourceMapping"],
      retryQueues.map(({ mappingArn }) => mappingArn),
    );
    // Throttled while it runs already: the next minute's event does the same.
    circuit.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: interval });
    circuit.addEventSource(new SqsEventSource(circuitQueue, { batchSize: 10, maxConcurrency: 2 }));
    new Rule(this, "EveryMinute", {
      description: `Has ${Stack.of(this).stackName} look at its circuits`,
      schedule: Schedule.rate(interval),
      targets: [new LambdaFunction(circuit)],
    });
  }
}
