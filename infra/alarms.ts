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
import type { Scheme } from "../scheme/scheme.ts";
import { metricsNamespace, serviceName } from "./trestle-function.ts";

/** What metrics and records call the route of a message that names none of the scheme. */
const unknownRoute = "unknown";

/** Functions whose failing no route's metrics show, and what it means. */
const consequences = {
  circuit: "retry queues are neither paused nor resumed, and nothing notices that the API is back.",
  "dead-letters": "what arrives in the queue of dead letters may not be written to its table.",
} as const;

export interface AlarmsProps {
  readonly scheme: Scheme;
  readonly email: string;
  readonly deadLetterQueue: IQueue;
  /** By route. */
  readonly retryQueues: ReadonlyMap<string, IQueue>;
  /** The function `circuit`, where there are QoS 1 routes. */
  readonly circuit: IFunction | undefined;
  /** The function `dead-letters`. */
  readonly deadLetters: IFunction;
}

interface AlarmSpec {
  /** Part of the alarm's name, and the anchor of its entry in the runbook. */
  readonly entry:
    | "circuit-opened"
    | "dead-lettered"
    | "dead-letters-not-recorded"
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
    const { scheme, email, deadLetterQueue, retryQueues, circuit, deadLetters } = props;
    this.#stackName = Stack.of(this).stackName;
    this.#action = new SnsAction(this.#addTopic(email));
    for (const [route, queue] of retryQueues) {
      this.#add(circuitOpened(scheme, route));
      this.#add(retriesWaitLong(route, queue));
    }
    for (const route of [...scheme.routes.keys(), unknownRoute]) this.#add(deadLettered(scheme, route));
    this.#add(deadLettersNotRecorded(deadLetterQueue));
    if (circuit !== undefined) this.#add(functionFails("circuit", circuit));
    this.#add(functionFails("dead-letters", deadLetters));
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
  const of = route === unknownRoute ? "of no known route" : `of route ${route}`;
  return {
    entry: "dead-lettered",
    subject: route,
    reason: `Messages ${of} were given up and are dead letters.`,
    metric: routeMetric(scheme, route, "DeadLettered"),
    threshold: 1,
    tellsEnd: false,
  };
}

function deadLettersNotRecorded(queue: IQueue): AlarmSpec {
  const period = Duration.minutes(1);
  // A message that could not be recorded is invisible most of the time, until the next try.
  const metric = new MathExpression({
    expression: "waiting + tried",
    usingMetrics: {
      waiting: queue.metricApproximateNumberOfMessagesVisible({ period }),
      tried: queue.metricApproximateNumberOfMessagesNotVisible({ period }),
    },
    label: "messages in the queue of dead letters",
    period,
  });
  return {
    entry: "dead-letters-not-recorded",
    reason: "The queue of dead letters has not been empty for 15 minutes: they are not written to their table.",
    metric,
    threshold: 1,
    periods: 15,
    tellsEnd: true,
  };
}

/**
 * A failure alone is made good by the next invocation: one is told of that goes on. Not by the minute, since a function
 * that fails at its time limit, or is tried again after its queue's visibility timeout, does not fail every minute.
 */
function functionFails(name: keyof typeof consequences, lambda: IFunction): AlarmSpec {
  return {
    entry: "function-fails",
    subject: name,
    reason: `The function ${name} has kept failing for 10 minutes: ${consequences[name]}`,
    metric: lambda.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
    threshold: 1,
    periods: 2,
    tellsEnd: true,
  };
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
  return new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: { service: serviceName(scheme), route },
    statistic: Stats.SUM,
    period: Duration.minutes(1),
  });
}
