import { Duration } from "aws-cdk-lib";
import type { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { DirectEnvironment } from "../lambdas/forward/environment.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import type { Route, Scheme } from "../scheme/scheme.ts";
import { Circuit } from "./circuit.ts";
import { batchSize, type Concurrency, divideConcurrency } from "./concurrency.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { ForwardFrames } from "./forward-frames.ts";
import { ForwardLane, type LaneQueue } from "./forward-lane.ts";
import { allowOnlineEvents, type OnlineEvents, onlineEnvironment } from "./online-events.ts";
import { RequestFunction } from "./request-function.ts";
import type { Stores } from "./stores.ts";
import { circuitSeconds, directSeconds, visibilityTimeout } from "./time-limits.ts";
import { allowRule, lambdaAction, selectionOf, sendingRole, sqsAction, TopicRule } from "./topic-rule.ts";
import { TrestleQueue } from "./trestle-queue.ts";

/** A fresh message is received once: whatever becomes of it, the next receive is the retry queue's. */
const freshReceives = 1;

/**
 * SQS's own limit. `forward` ends a message after its last attempt, and it is received without an attempt where its
 * route has to wait: the queue's count is there for what `forward` cannot end.
 */
const retryReceives = 1000;

/** Age in seconds at which a QoS 0 message that still waits for the direct function is no news any more. */
const maxDirectAgeSeconds = 60;

export interface IngestProps {
  readonly scheme: Scheme;
  readonly configFile: string;
  readonly apiUrl: string;
  readonly stores: Stores;
  readonly deadLetters: DeadLetters;
  /** Undefined where there are no commands. */
  readonly onlineEvents: OnlineEvents | undefined;
}

/** What there is of the QoS 1 routes. */
interface QueuedRoutes {
  readonly retryQueues: ReadonlyMap<string, IQueue>;
  readonly circuit: Circuit | undefined;
  readonly circuitQueue: IQueue | undefined;
}

/**
 * The way up, from topic rules to the API. A QoS 0 route's rule invokes the direct function. A QoS 1 route has two
 * queues of its own, so that no route holds up another: what fails of the fresh queue moves to the retry queue, and
 * fresh messages never stand behind it. Frames of a relay have a rule and a function, whatever routes are in them.
 */
export class Ingest extends Construct {
  /** The retry queue of each QoS 1 route, by the route's name. */
  readonly retryQueues: ReadonlyMap<string, IQueue>;
  /** Looks after the circuits, where there are QoS 1 routes. */
  readonly circuit: Circuit | undefined;
  /** Takes the relay's frames, where a relay is the uplink. */
  readonly frames: ForwardFrames | undefined;
  readonly #props: IngestProps;

  constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id);
    const { scheme } = props;
    this.#props = props;
    const { direct, lanes, frames } = divideConcurrency(scheme);
    const routes = [...scheme.routes.values()];
    this.#addDirectRoutes(
      routes.filter((route) => route.qos === 0),
      direct,
    );
    const queued = this.#addQueuedRoutes(
      routes.filter((route) => route.qos === 1),
      lanes,
    );
    this.retryQueues = queued.retryQueues;
    this.circuit = queued.circuit;
    const { retryQueues, circuitQueue } = queued;
    if (scheme.framesRuleName === undefined || frames === undefined) return;
    this.frames = new ForwardFrames(this, "ForwardFrames", {
      ...props,
      ruleName: scheme.framesRuleName,
      concurrency: frames,
      queues: [...retryQueues.values(), ...(circuitQueue === undefined ? [] : [circuitQueue])],
    });
  }

  #addDirectRoutes(routes: readonly Route[], reservedConcurrentExecutions: number): void {
    if (routes.length === 0) return;
    const { scheme, configFile, apiUrl, onlineEvents } = this.#props;
    const forward = new RequestFunction<DirectEnvironment>(this, "ForwardDirect", {
      scheme,
      configFile,
      folder: "forward",
      description: "Makes a request of each QoS 0 message, as the topic rules invoke it",
      timeoutSeconds: directSeconds(scheme.api.timeoutMs),
      reservedConcurrentExecutions,
      environment: { API_URL: apiUrl, PARALLEL_REQUESTS: "1", LANE: "direct", ...onlineEnvironment(onlineEvents) },
    });
    allowOnlineEvents(forward, onlineEvents);
    // Fire and forget is what QoS 0 asks for: no second try, and no destination for what was lost.
    forward.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.seconds(maxDirectAgeSeconds) });
    for (const route of routes) {
      const rule = this.#addRule(route, this.#scopeOf(route), lambdaAction(forward));
      allowRule(forward, `Invoke-${route.name}`, rule);
    }
  }

  #addQueuedRoutes(routes: readonly Route[], lanes: Concurrency["lanes"]): QueuedRoutes {
    if (lanes === undefined) return { retryQueues: new Map(), circuit: undefined, circuitQueue: undefined };
    const { scheme } = this.#props;
    const circuitQueue = new TrestleQueue(this, "CircuitQueue", {
      queueName: resourceNames(scheme).circuitQueue,
      visibilityTimeout: visibilityTimeout(circuitSeconds(scheme.api.timeoutMs)),
      // The function looks by itself every minute.
      retentionPeriod: Duration.minutes(1),
    });
    const common = { ...this.#props, circuitQueue };
    const fresh = new ForwardLane(this, "ForwardFresh", {
      ...common,
      lane: "fresh",
      description: "Makes requests of QoS 1 messages, in batches from the routes' queues",
      concurrency: lanes.fresh,
      batchSize,
    });
    const retry = new ForwardLane(this, "ForwardRetry", {
      ...common,
      lane: "retry",
      description: "Makes requests of the QoS 1 messages that could not be delivered at once",
      concurrency: lanes.retry,
      // All at one time: what is slow here would make the others of its batch wait for it.
      batchSize: lanes.retry.parallelRequests,
    });
    const laneQueues = new Map(routes.map((route) => [route.name, this.#addQueuedRoute(route, fresh, retry)]));
    const circuit = new Circuit(this, "Circuit", { ...common, retry, retryQueues: [...laneQueues.values()] });
    const queues = new Map([...laneQueues].map(([route, { queue }]) => [route, queue]));
    return { retryQueues: queues, circuit, circuitQueue };
  }

  /** @returns its retry queue. */
  #addQueuedRoute(route: Route, fresh: ForwardLane, retry: ForwardLane): LaneQueue {
    const { scheme, deadLetters } = this.#props;
    const names = resourceNames(scheme);
    const scope = this.#scopeOf(route);
    const retries = retry.addQueue(scope, "RetryQueue", {
      queueName: names.retryQueue(route.name),
      deadLetterQueue: { queue: deadLetters.queue, maxReceiveCount: retryReceives },
    });
    const { queue } = fresh.addQueue(scope, "Queue", {
      queueName: names.freshQueue(route.name),
      deadLetterQueue: { queue: retries.queue, maxReceiveCount: freshReceives },
    });
    this.#addRule(route, scope, sqsAction(queue, sendingRole(scope, "Role", queue)));
    return retries;
  }

  /** Apart from the rest, since users name their routes as they like. */
  #scopeOf(route: Route): Construct {
    return new Construct(this, `Route-${route.name}`);
  }

  #addRule(route: Route, scope: Construct, action: CfnTopicRule.ActionProperty): TopicRule {
    return new TopicRule(scope, "Rule", {
      selection: selectionOf(route, `Route ${route.name}`),
      action,
      errorAction: this.#props.deadLetters.errorAction,
    });
  }
}
