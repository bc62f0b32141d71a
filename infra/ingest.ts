import { Duration, Stack } from "aws-cdk-lib";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { type IQueue, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Route, Scheme } from "../scheme/scheme.ts";
import { batchSize, type Concurrency, divideConcurrency, invocationSeconds } from "./concurrency.ts";
import { queueRetention } from "./dead-letter-queue.ts";
import { ForwardFunction, type ForwardFunctionProps } from "./forward-function.ts";
import { lambdaAction, sendingRole, sqsAction, TopicRule } from "./topic-rule.ts";

/** Receives of a message before it becomes a dead letter. */
const maxReceiveCount = 5;

/** AWS's advice for a queue that feeds a function: room for the function's throttling and retries within a receive. */
const visibilityTimeouts = 6;

/** Age in seconds at which a QoS 0 message that still waits for the direct function is no news any more. */
const maxDirectAgeSeconds = 60;

export interface IngestProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  readonly apiUrl: string;
  readonly deadLetterQueue: IQueue;
}

/**
 * The way up, from topic rules to the API. A QoS 0 route's rule invokes the direct function. A QoS 1 route has a queue
 * of its own that feeds the queued function, so that no route holds up another and each can be paused alone.
 */
export class Ingest extends Construct {
  readonly #props: IngestProps;
  readonly #concurrency: Concurrency;
  readonly #errorAction: CfnTopicRule.ActionProperty;

  constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id);
    const { scheme, deadLetterQueue } = props;
    this.#props = props;
    this.#concurrency = divideConcurrency(scheme);
    this.#errorAction = sqsAction(deadLetterQueue, sendingRole(this, "ErrorActionRole", deadLetterQueue));
    const routes = [...scheme.routes.values()];
    this.#addDirectRoutes(routes.filter((route) => route.qos === 0));
    this.#addQueuedRoutes(routes.filter((route) => route.qos === 1));
  }

  #addDirectRoutes(routes: readonly Route[]): void {
    if (routes.length === 0) return;
    const forward = new ForwardFunction(this, "ForwardDirect", {
      ...this.#functionProps(1, 1),
      description: "Makes a request of each QoS 0 message, as the topic rules invoke it",
      reservedConcurrentExecutions: this.#concurrency.direct,
    });
    // Fire and forget is what QoS 0 asks for: no second try, and no destination for what was lost.
    forward.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.seconds(maxDirectAgeSeconds) });
    for (const route of routes) {
      const rule = this.#addRule(route, this.#scopeOf(route), lambdaAction(forward));
      forward.addPermission(`Invoke-${route.name}`, {
        principal: new ServicePrincipal("iot.amazonaws.com"),
        sourceArn: rule.arn,
        sourceAccount: Stack.of(this).account,
      });
    }
  }

  #addQueuedRoutes(routes: readonly Route[]): void {
    if (routes.length === 0) return;
    const { perQueue, parallelRequests } = this.#concurrency;
    const options = this.#functionProps(batchSize, parallelRequests);
    const forward = new ForwardFunction(this, "ForwardQueued", {
      ...options,
      description: "Makes requests of QoS 1 messages, in batches from the routes' queues",
    });
    for (const route of routes) {
      const scope = this.#scopeOf(route);
      const queue = new Queue(scope, "Queue", {
        retentionPeriod: queueRetention,
        visibilityTimeout: Duration.seconds(visibilityTimeouts * options.timeoutSeconds),
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        deadLetterQueue: { queue: this.#props.deadLetterQueue, maxReceiveCount },
      });
      this.#addRule(route, scope, sqsAction(queue, sendingRole(scope, "Role", queue)));
      forward.addEventSource(
        new SqsEventSource(queue, { batchSize, reportBatchItemFailures: true, maxConcurrency: perQueue }),
      );
    }
  }

  /** Apart from the rest, since users name their routes as they like. */
  #scopeOf(route: Route): Construct {
    return new Construct(this, `Route-${route.name}`);
  }

  #addRule(route: Route, scope: Construct, action: CfnTopicRule.ActionProperty): TopicRule {
    return new TopicRule(scope, "Rule", { route, action, errorAction: this.#errorAction });
  }

  #functionProps(messages: number, parallelRequests: number): ForwardFunctionProps {
    const { scheme, configFile, apiUrl } = this.#props;
    const timeoutSeconds = invocationSeconds(messages, parallelRequests, scheme.api.timeoutMs);
    return { scheme, configFile, apiUrl, parallelRequests, timeoutSeconds };
  }
}
