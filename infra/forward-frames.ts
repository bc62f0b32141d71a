import { Duration } from "aws-cdk-lib";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { FramesEnvironment } from "../lambdas/forward/environment.ts";
import { framesStatement } from "../scheme/ingest.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import type { LaneConcurrency } from "./concurrency.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { type StoreProps, storeEnvironment } from "./delivery.ts";
import { allowOnlineEvents, type OnlineEvents, onlineEnvironment } from "./online-events.ts";
import { RequestFunction } from "./request-function.ts";
import { frameSeconds, visibilityTimeout } from "./time-limits.ts";
import { allowRule, lambdaAction, TopicRule } from "./topic-rule.ts";
import { TrestleQueue } from "./trestle-queue.ts";

/** How often Lambda tries a frame again, and how long it keeps one that the function has no room for: the most it does. */
const retryAttempts = 2;
const maxEventAge = Duration.hours(6);

/**
 * A frame is received again where a table or a queue cannot be written, every six minutes by default: ten hours, after
 * which its messages are dead letters.
 */
const receives = 100;

/** Invocations that the queue gets at one time, the fewest that a mapping can be limited to. */
const queueInvocations = 2;

export interface ForwardFramesProps extends StoreProps {
  readonly ruleName: string;
  readonly concurrency: LaneConcurrency;
  readonly deadLetters: DeadLetters;
  /** The retry queues of the QoS 1 routes, and what wakes the function `circuit`; none without such routes. */
  readonly queues: readonly IQueue[];
  /** Undefined where there are no commands. */
  readonly onlineEvents: OnlineEvents | undefined;
}

/**
 * `forward` with the relay's frames: their topic rule invokes it, asynchronously, and what it fails with again and again
 * goes to a queue, which feeds it, too.
 */
export class ForwardFrames extends RequestFunction<FramesEnvironment> {
  readonly queue: IQueue;

  constructor(scope: Construct, id: string, props: ForwardFramesProps) {
    const { scheme, configFile, ruleName, concurrency, stores, deadLetters, queues, onlineEvents } = props;
    const timeoutSeconds = frameSeconds(scheme.api.timeoutMs);
    const queue = new TrestleQueue(scope, `${id}Queue`, {
      queueName: resourceNames(scheme).framesQueue,
      visibilityTimeout: visibilityTimeout(timeoutSeconds),
      deadLetterQueue: { queue: deadLetters.queue, maxReceiveCount: receives },
    });
    super(scope, id, {
      scheme,
      configFile,
      folder: "forward",
      description: "Makes requests of the messages in the relay's frames, as their topic rule invokes it",
      timeoutSeconds,
      reservedConcurrentExecutions: concurrency.invocations,
      environment: {
        ...storeEnvironment(props, concurrency.parallelRequests),
        ...onlineEnvironment(onlineEvents),
        LANE: "frames",
        FRAMES_QUEUE_URL: queue.queueUrl,
      },
    });
    this.queue = queue;
    stores.allowForwarding(this);
    stores.allowLetterParts(this);
    for (const { queueArn } of queues) this.allow(["sqs:SendMessage"], [queueArn]);
    allowOnlineEvents(this, onlineEvents);
    this.configureAsyncInvoke({ retryAttempts, maxEventAge, onFailure: new SqsDestination(queue) });
    this.addEventSource(
      new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: queueInvocations }),
    );
    const rule = new TopicRule(scope, `${id}Rule`, {
      selection: { ruleName, statement: framesStatement, description: "Frames of the relay" },
      action: lambdaAction(this),
      errorAction: deadLetters.errorAction,
    });
    allowRule(this, "Invoke", rule);
  }
}
