import { ArnFormat, Duration, Stack } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { repliesRoute } from "../scheme/ingest.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { metricsNamespace, serviceName } from "./trestle-function.ts";

/** What metrics and records call the route of a message that names none of the scheme. */
const unknownRoute = "unknown";

/** Functions whose failing no route's metrics show, and what it means. */
const consequences = {
  circuit: "retry queues are neither paused nor resumed, and nothing notices that the API is back.",
  frames: "messages that come by the relay are not delivered, and wait as frames where Lambda keeps them.",
  "dead-letters": "what arrives in the queue of dead letters may not be written to its table.",
  push: "calls of the push endpoint are answered with an error, and their commands may not be recorded.",
  sweep: "requests do not expire and are not sent again, and brokers that were away are not brought up to date.",
  reply: "what devices answer is not written to their commands.",
} as const;

type WatchedFunction = keyof typeof consequences;

export interface AlarmsProps {
  readonly scheme: Scheme;
  readonly email: string;
  readonly deadLetterQueue: IQueue;
  /** Undefined without a relay. */
  readonly framesQueue: IQueue | undefined;
  /** By route. */
  readonly retryQueues: ReadonlyMap<string, IQueue>;
  /** Those that there are. */
  readonly functions: ReadonlyMap<WatchedFunction, IFunction>;
}

interface AlarmSpec {
  /** Part of the alarm's name, and the anchor of its entry in the runbook. */
  readonly entry:
    | "circuit-opened"
    | "commands-not-published"
    | "dead-lettered"
    | "dead-letters-not-recorded"
    | "frames-not-settled"
    | "function-fails"
    | "retries-wait-long";
  /** The route or the function that it is about, where the entry is about each of them. */
  readonly subject?: string;
  /** What is the matter. */
  readonly reason: string;
  readonly metric: IMetric;
  /** Reached or passed. */
  readonly threshold: number;
  /** Periods of the metric in a row. */
  readonly periods?: number;
  /** Whether the end of it is told too; not of what happens in one moment. */
  readonly tellsEnd: boolean;
}

/** Alarms by e-mail, each with an entry in `docs/runbook.md`. AWS asks the address once whether it wants them. */
export class Alarms extends Construct {
  readonly #stackName: string;
  readonly #action: SnsAction;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { scheme, email, deadLetterQueue, framesQueue, retryQueues, functions } = props;
    this.#stackName = Stack.of(this).stackName;
    this.#action = new SnsAction(this.#addTopic(email));
    for (const [route, queue] of retryQueues) {
      this.#add(circuitOpened(scheme, route));
      this.#add(retriesWaitLong(route, queue));
    }
    const replies = scheme.commands === undefined ? [] : [repliesRoute];
    for (const route of [...scheme.routes.keys(), ...replies, unknownRoute]) this.#add(deadLettered(scheme, route));
    this.#add(deadLettersNotRecorded(deadLetterQueue));
    if (framesQueue !== undefined) this.#add(framesNotSettled(framesQueue));
    if (functions.has("sweep")) this.#add(commandsNotPublished(scheme));
    for (const [name, lambda] of functions) this.#add(functionFails(scheme, name, lambda));
  }

  #addTopic(email: string): Topic {
    const topic = new Topic(this, "Topic", { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(email));
    // A topic with a policy of its own has SNS's default one no more, by which alarms of the account may publish.
    const { account } = Stack.of(this);
    const alarms = Stack.of(this).formatArn({
      service: "cloudwatch",
      resource: "alarm",
      resourceName: "*",
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": account }, ArnLike: { "aws:SourceArn": alarms } },
      }),
    );
    return topic;
  }

  #add({ entry, subject, reason, metric, threshold, periods = 1, tellsEnd }: AlarmSpec): void {
    const id = subject === undefined ? entry : `${entry}-${subject}`;
    const alarm = new Alarm(this, id, {
      alarmName: `${this.#stackName}-${id}`,
      alarmDescription: `${reason} What to do: docs/runbook.md#${entry}`,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#action);
    if (tellsEnd) alarm.addOkAction(this.#action);
  }
}

function circuitOpened(scheme: Scheme, route: string): AlarmSpec {
  return {
    entry: "circuit-opened",
    subject: route,
    reason: `The API fails for route ${route}: its messages are held and none is attempted until the API answers again.`,
    metric: routeMetric(scheme, route, "CircuitOpened"),
    threshold: 1,
    tellsEnd: false,
  };
}

function deadLettered(scheme: Scheme, route: string): AlarmSpec {
  return {
    entry: "dead-lettered",
    subject: route,
    reason: `${messagesOf(route)} were given up and are dead letters.`,
    metric: routeMetric(scheme, route, "DeadLettered"),
    threshold: 1,
    tellsEnd: false,
  };
}

function messagesOf(route: string): string {
  if (route === unknownRoute) return "Messages of no known route";
  return route === repliesRoute ? "Replies of devices to commands" : `Messages of route ${route}`;
}

function deadLettersNotRecorded(queue: IQueue): AlarmSpec {
  return {
    entry: "dead-letters-not-recorded",
    reason: "The queue of dead letters has not been empty for 15 minutes: they are not written to their table.",
    ...notEmpty(queue, "messages in the queue of dead letters"),
  };
}

function framesNotSettled(queue: IQueue): AlarmSpec {
  return {
    entry: "frames-not-settled",
    reason: "The queue of frames has not been empty for 15 minutes: their function fails with them, or has no room.",
    ...notEmpty(queue, "frames in their queue"),
  };
}

/** For 15 minutes. A message that could not be settled is invisible most of the time, until the next try. */
function notEmpty(queue: IQueue, label: string): Omit<AlarmSpec, "entry" | "reason"> {
  const period = Duration.minutes(1);
  const metric = new MathExpression({
    expression: "waiting + tried",
    usingMetrics: {
      waiting: queue.metricApproximateNumberOfMessagesVisible({ period }),
      tried: queue.metricApproximateNumberOfMessagesNotVisible({ period }),
    },
    label,
    period,
  });
  return { metric, threshold: 1, periods: 15, tellsEnd: true };
}

/** Each sweep tries again: one is told of what goes on, as it does while a broker is away. */
function commandsNotPublished(scheme: Scheme): AlarmSpec {
  return {
    entry: "commands-not-published",
    reason: "For 5 minutes there have been commands or brokers that the function sweep could do nothing about.",
    metric: serviceMetric(scheme, "SweepFailed"),
    threshold: 1,
    periods: 5,
    tellsEnd: true,
  };
}

/**
 * A failure alone is made good by the next invocation: one is told of that goes on. Not by the minute, since a function
 * that fails at its time limit, or is tried again after its queue's visibility timeout, does not fail every minute.
 */
function functionFails(scheme: Scheme, name: WatchedFunction, lambda: IFunction): AlarmSpec {
  const period = Duration.minutes(5);
  const errors = lambda.metricErrors({ period, statistic: Stats.SUM });
  return {
    entry: "function-fails",
    subject: name,
    reason: `The function ${name} has kept failing for 10 minutes: ${consequences[name]}`,
    metric: name === "push" ? withAnswers(errors, serviceMetric(scheme, "PushFailed", {}, period)) : errors,
    threshold: 1,
    periods: 2,
    tellsEnd: true,
  };
}

/** What `push` cannot do it answers, which for Lambda is no error. */
function withAnswers(errors: Metric, answers: Metric): MathExpression {
  return new MathExpression({
    expression: "FILL(errors, 0) + FILL(answers, 0)",
    usingMetrics: { errors, answers },
    label: "failed calls",
    period: Duration.minutes(5),
  });
}

/**
 * Of a message that was received three times the metric knows nothing any more: this is about those that wait untried,
 * behind an open circuit or a retry lane that is too slow.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
function retriesWaitLong(route: string, queue: IQueue): AlarmSpec {
  return {
    entry: "retries-wait-long",
    subject: route,
    reason: `The oldest message in the retry queue of route ${route} was sent more than a day ago; the queue keeps it 14.`,
    metric: queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5), statistic: Stats.MAXIMUM }),
    threshold: Duration.days(1).toSeconds(),
    tellsEnd: true,
  };
}

function routeMetric(scheme: Scheme, route: string, metricName: string): Metric {
  return serviceMetric(scheme, metricName, { route });
}

function serviceMetric(
  scheme: Scheme,
  metricName: string,
  dimensions: Readonly<Record<string, string>> = {},
  period = Duration.minutes(1),
): Metric {
  return new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: { service: serviceName(scheme), ...dimensions },
    statistic: Stats.SUM,
    period,
  });
}
