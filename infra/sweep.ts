import { Duration, Stack } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { resourceNames } from "../scheme/resource-names.ts";
import { BrokerFunction } from "./broker-function.ts";
import type { PublishingProps } from "./push.ts";
import { sweepSeconds, visibilityTimeout } from "./time-limits.ts";
import { TrestleQueue } from "./trestle-queue.ts";

/** Between two looks at what is due, and the age at which it is too late for one. */
const interval = Duration.minutes(1);

/** How long it matters that a device has come online: long enough for another try, after six times 60 s. */
const onlineRetention = Duration.minutes(15);

/**
 * The function that publishes what was recorded and not published, ends requests that nobody answered, and brings brokers
 * up to date. It runs every minute, and at once for a device that has come online and has requests to answer.
 */
export class Sweep extends Construct {
  readonly function: IFunction;
  /** Takes the ids of devices that are online. */
  readonly onlineQueue: TrestleQueue;

  constructor(scope: Construct, id: string, props: PublishingProps) {
    super(scope, id);
    const sweep = new BrokerFunction(this, "Function", {
      ...props,
      folder: "sweep",
      description: "Publishes commands that are due, and brings brokers up to date",
      // Two at one time would do everything twice.
      reservedConcurrentExecutions: 1,
      timeoutSeconds: sweepSeconds,
    });
    this.function = sweep;
    props.stores.allowSweeping(sweep);
    // Throttled while it runs already: the next minute's event does the same.
    sweep.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: interval });
    this.onlineQueue = new TrestleQueue(this, "OnlineQueue", {
      queueName: resourceNames(props.scheme).onlineQueue,
      visibilityTimeout: visibilityTimeout(sweepSeconds),
      retentionPeriod: onlineRetention,
    });
    sweep.addEventSource(
      new SqsEventSource(this.onlineQueue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
    new Rule(this, "EveryMinute", {
      description: `Has ${Stack.of(this).stackName} look at its commands`,
      schedule: Schedule.rate(interval),
      targets: [new LambdaFunction(sweep)],
    });
  }
}
