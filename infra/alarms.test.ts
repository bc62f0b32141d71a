import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { Alarms } from "./alarms.ts";
import { projectRoot } from "./bundle.ts";

const scheme = defineScheme({
  name: "acme",
  stage: "test",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/{deviceId}/location", qos: 1 }, health: { topic: "v1/{deviceId}/health", qos: 0 } },
  commands: { topic: "commands/{deviceId}", replies: "replies/{deviceId}" },
  brokers: [{ url: "aws-iot:" }],
});

const stack = new Stack(new App({ analyticsReporting: false }), "acme-test");
const lambda = (name: string) =>
  new LambdaFunction(stack, name, {
    functionName: name,
    runtime: Runtime.NODEJS_24_X,
    handler: "index.handler",
    code: Code.fromInline("export const handler = () => {};"),
  });
new Alarms(stack, "Alarms", {
  scheme,
  email: "ops@example.com",
  deadLetterQueue: new Queue(stack, "DeadLetters", { queueName: "dead" }),
  framesQueue: new Queue(stack, "Frames", { queueName: "frames" }),
  retryQueues: new Map([["location", new Queue(stack, "Retry", { queueName: "retry" })]]),
  functions: new Map([
    ["circuit", lambda("Circuit")],
    ["frames", lambda("Forward")],
    ["dead-letters", lambda("Recorder")],
    ["push", lambda("Push")],
    ["sweep", lambda("Sweep")],
    ["reply", lambda("Reply")],
  ]),
});
const template = Template.fromStack(stack);
const [topic = ""] = Object.keys(template.findResources("AWS::SNS::Topic"));

/** The alarm of a name, in the parts that concern what it watches. */
function expectAlarm(name: string, properties: object): void {
  template.hasResourceProperties("AWS::CloudWatch::Alarm", {
    AlarmName: `acme-test-${name}`,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    TreatMissingData: "notBreaching",
    AlarmActions: [{ Ref: topic }],
    ...properties,
  });
}

test("tells of an open circuit and of dead letters at once, once", () => {
  const atOnce = { Statistic: "Sum", Period: 60, EvaluationPeriods: 1, Threshold: 1, OKActions: Match.absent() };
  // As Powertools publishes them: an alarm on fewer dimensions would never see a value.
  const of = (route: string) => [
    { Name: "route", Value: route },
    { Name: "service", Value: "acme-test" },
  ];
  expectAlarm("circuit-opened-location", {
    ...atOnce,
    Namespace: "Trestle",
    MetricName: "CircuitOpened",
    Dimensions: of("location"),
  });
  for (const route of ["location", "health", "replies", "unknown"]) {
    expectAlarm(`dead-lettered-${route}`, {
      ...atOnce,
      Namespace: "Trestle",
      MetricName: "DeadLettered",
      Dimensions: of(route),
    });
  }
  template.resourceCountIs("AWS::CloudWatch::Alarm", 15);
});

test.for(["dead-letters-not-recorded", "frames-not-settled"])(
  "%s: tells of what stays in a queue for 15 minutes, whether it waits or is being tried",
  (name) => {
    expectAlarm(name, {
      EvaluationPeriods: 15,
      Threshold: 1,
      OKActions: [{ Ref: topic }],
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: "waiting + tried", ReturnData: true }),
        Match.objectLike({
          Id: "waiting",
          MetricStat: { Metric: { MetricName: "ApproximateNumberOfMessagesVisible" }, Period: 60, Stat: "Maximum" },
        }),
        Match.objectLike({
          Id: "tried",
          MetricStat: { Metric: { MetricName: "ApproximateNumberOfMessagesNotVisible" }, Period: 60, Stat: "Maximum" },
        }),
      ]),
    });
  },
);

test("tells of commands that have waited for five sweeps, and of the end of it", () => {
  expectAlarm("commands-not-published", {
    Namespace: "Trestle",
    MetricName: "SweepFailed",
    Dimensions: [{ Name: "service", Value: "acme-test" }],
    Statistic: "Sum",
    Period: 60,
    EvaluationPeriods: 5,
    Threshold: 1,
    OKActions: [{ Ref: topic }],
  });
});

test("tells of retries that have waited for more than a day", () => {
  expectAlarm("retries-wait-long-location", {
    Namespace: "AWS/SQS",
    MetricName: "ApproximateAgeOfOldestMessage",
    Statistic: "Maximum",
    Threshold: 86_400,
    EvaluationPeriods: 1,
    OKActions: [{ Ref: topic }],
  });
});

test.for([
  ["circuit", "Circuit"],
  ["frames", "Forward"],
  ["dead-letters", "Recorder"],
  ["sweep", "Sweep"],
  ["reply", "Reply"],
] as const)("tells of the function %s when it keeps failing, not of a failure alone", ([name, id]) => {
  const [logicalId = ""] = Object.keys(
    template.findResources("AWS::Lambda::Function", { Properties: { FunctionName: id } }),
  );
  expectAlarm(`function-fails-${name}`, {
    Namespace: "AWS/Lambda",
    MetricName: "Errors",
    Dimensions: [{ Name: "FunctionName", Value: { Ref: logicalId } }],
    Statistic: "Sum",
    Period: 300,
    EvaluationPeriods: 2,
    Threshold: 1,
    OKActions: [{ Ref: topic }],
  });
});

test("tells of the function push also where it answers that it failed", () => {
  const metric = (Namespace: string, MetricName: string) => ({
    MetricStat: { Metric: { Namespace, MetricName }, Period: 300, Stat: "Sum" },
  });
  expectAlarm("function-fails-push", {
    Metrics: Match.arrayWith([
      Match.objectLike({ Expression: "FILL(errors, 0) + FILL(answers, 0)" }),
      Match.objectLike(metric("AWS/Lambda", "Errors")),
      Match.objectLike(metric("Trestle", "PushFailed")),
    ]),
    EvaluationPeriods: 2,
    Threshold: 1,
    OKActions: [{ Ref: topic }],
  });
});

test("mails the address, and lets nobody but the account's alarms publish", () => {
  template.hasResourceProperties("AWS::SNS::Subscription", { Protocol: "email", Endpoint: "ops@example.com" });
  template.hasResourceProperties("AWS::SNS::TopicPolicy", {
    PolicyDocument: {
      Statement: [
        { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
        {
          Effect: "Allow",
          Action: "sns:Publish",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Resource: { Ref: topic },
          Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } }, ArnLike: Match.anyValue() },
        },
      ],
    },
  });
});

test("each alarm's description leads to an entry of the runbook", () => {
  const runbook = readFileSync(join(projectRoot, "docs/runbook.md"), "utf8");
  const alarms = Object.values(template.findResources("AWS::CloudWatch::Alarm"));
  for (const { Properties } of alarms) {
    const [, anchor = ""] = /docs\/runbook\.md#([a-z-]+)$/.exec(Properties.AlarmDescription) ?? [];
    expect(runbook.split("\n")).toContain(`## ${anchor}`);
  }
});
