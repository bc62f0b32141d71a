import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { DeadLetterQueue as RedriveTarget } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { QueueEnvironment } from "../lambdas/forward/environment.ts";
import type { LaneConcurrency } from "./concurrency.ts";
import { type DeliveryProps, deliveryEnvironment } from "./delivery.ts";
import { allowOnlineEvents, type OnlineEvents, onlineEnvironment } from "./online-events.ts";
import { RequestFunction } from "./request-function.ts";
import { batchSeconds, visibilityTimeout } from "./time-limits.ts";
import { TrestleQueue } from "./trestle-queue.ts";

export interface ForwardLaneProps extends DeliveryProps {
  readonly lane: QueueEnvironment["LANE"];
  readonly description: string;
  readonly concurrency: LaneConcurrency;
  /** Messages of one invocation. */
  readonly batchSize: number;
  /** Undefined where there are no commands. */
  readonly onlineEvents: OnlineEvents | undefined;
}

export interface LaneQueueProps {
  readonly queueName: string;
  readonly deadLetterQueue: RedriveTarget;
}

/** A queue of a lane, and the ARN of what feeds the function from it. */
export interface LaneQueue {
  readonly queue: TrestleQueue;
  readonly mappingArn: string;
}

/** `forward` with all the queues of one kind, a queue for each QoS 1 route: those of fresh messages, or of retries. */
export class ForwardLane extends RequestFunction<QueueEnvironment> {
  readonly #props: ForwardLaneProps;
  readonly #timeoutSeconds: number;

  constructor(scope: Construct, id: string, props: ForwardLaneProps) {
    const { scheme, configFile, lane, description, concurrency, batchSize, stores, circuitQueue, onlineEvents } = props;
    const timeoutSeconds = batchSeconds(batchSize, scheme.api.timeoutMs);
    const { parallelRequests } = concurrency;
    super(scope, id, {
      scheme,
      configFile,
      folder: "forward",
      description,
      timeoutSeconds,
      environment: {
        ...deliveryEnvironment(props, { parallelRequests, timeoutSeconds }),
        ...onlineEnvironment(onlineEvents),
        LANE: lane,
      },
    });
    this.#props = props;
    this.#timeoutSeconds = timeoutSeconds;
    stores.allowForwarding(this);
    this.allow(["sqs:SendMessage"], [circuitQueue.queueArn]);
    allowOnlineEvents(this, onlineEvents);
  }

  /** Adds a route's queue. */
  addQueue(scope: Construct, id: string, props: LaneQueueProps): LaneQueue {
    const { batchSize, concurrency } = this.#props;
    const queue = new TrestleQueue(scope, id, { ...props, visibilityTimeout: visibilityTimeout(this.#timeoutSeconds) });
    const source = new SqsEventSource(queue, {
      batchSize,
      reportBatchItemFailures: true,
      maxConcurrency: concurrency.invocations,
    });
    this.addEventSource(source);
    return { queue, mappingArn: source.eventSourceMappingArn };
  }
}
