import { Match, type Template } from "aws-cdk-lib/assertions";
import { expect, test } from "vitest";
import { type CloudFormationTemplate, checkTemplate } from "./check-template.ts";
import { findIn, grants, input, templateOf } from "./testing.ts";

const { location, health } = input.routes;
if (location === undefined || health === undefined) throw new Error("the routes of these tests are gone");
const alarms = { email: "ops@example.com" };
const template = templateOf({ uplink: "relay", alarms });
const directOnly = templateOf({ uplink: "relay", routes: { health } });

const find = (type: string, idPattern: RegExp, from = template) => findIn(from, type, idPattern);
const arn = ({ id }: { readonly id: string }) => ({ "Fn::GetAtt": [id, "Arn"] });
const functionOf = (from = template) => find("AWS::Lambda::Function", /^IngestForwardFrames/, from);
const queueOf = (from = template) => find("AWS::SQS::Queue", /^IngestForwardFramesQueue/, from);

test("only a scheme with a relay takes frames", () => {
  const bridged = JSON.stringify(templateOf().toJSON());
  expect(bridged).not.toMatch(/frames/i);
});

test.for([
  ["all routes", template],
  ["QoS 0 routes alone", directOnly],
] as const)("frames have a topic rule of their own, with %s", ([, from]) => {
  const rule = find("AWS::IoT::TopicRule", /^IngestForwardFramesRule/, from);
  expect(rule.properties).toEqual({
    RuleName: "acme_test_relay_frames",
    TopicRulePayload: {
      Sql: "SELECT encode(*, 'base64') AS frame, clientid() AS broker",
      AwsIotSqlVersion: "2016-03-23",
      Description: "Frames of the relay",
      Actions: [{ Lambda: { FunctionArn: arn(functionOf(from)) } }],
      ErrorAction: { Sqs: expect.objectContaining({ QueueUrl: { Ref: expect.stringMatching(/^DeadLettersQueue/) } }) },
    },
  });
  from.hasResourceProperties("AWS::Lambda::Permission", {
    Action: "lambda:InvokeFunction",
    FunctionName: arn(functionOf(from)),
    Principal: "iot.amazonaws.com",
    SourceArn: arn(rule),
    SourceAccount: { Ref: "AWS::AccountId" },
  });
  expect(checkTemplate(from.toJSON() as CloudFormationTemplate)).toEqual([]);
});

test("Lambda keeps a frame for as long as it can, then its queue does, which feeds the same function", () => {
  template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
    FunctionName: { Ref: functionOf().id },
    MaximumRetryAttempts: 2,
    MaximumEventAgeInSeconds: 6 * 3600,
    DestinationConfig: { OnFailure: { Destination: arn(queueOf()) } },
  });
  expect(queueOf().properties).toMatchObject({
    QueueName: "acme-test-frames",
    VisibilityTimeout: 6 * 80, // 2 × 20 s and the margins
    RedrivePolicy: { deadLetterTargetArn: arn(find("AWS::SQS::Queue", /^DeadLettersQueue/)), maxReceiveCount: 100 },
  });
  template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    EventSourceArn: arn(queueOf()),
    FunctionName: { Ref: functionOf().id },
    BatchSize: 1,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ScalingConfig: { MaximumConcurrency: 2 },
  });
});

test("the function knows what it needs", () => {
  const ref = (type: string, id: RegExp) => ({ Ref: find(type, id).id });
  expect(functionOf().properties).toMatchObject({
    ReservedConcurrentExecutions: 3,
    Timeout: 80,
    Environment: {
      Variables: {
        LANE: "frames",
        API_URL: { Ref: "ApiUrl" },
        PARALLEL_REQUESTS: "9",
        DELIVERIES_TABLE: ref("AWS::DynamoDB::Table", /^StoresDeliveries/),
        DEAD_LETTERS_TABLE: ref("AWS::DynamoDB::Table", /^StoresDeadLetters/),
        MESSAGES_TABLE: "",
        FRAMES_QUEUE_URL: { Ref: queueOf().id },
      },
    },
  });
});

test("the function may do what the fresh lane may, and send to the retry queues", () => {
  const grantsOf = (from: Template) =>
    grants(from)
      .filter((line) => line.startsWith("IngestForwardFramesRole: "))
      .map((line) => line.slice("IngestForwardFramesRole: Allow ".length));
  const own = [
    "dynamodb:BatchGetItem,dynamodb:BatchWriteItem,dynamodb:GetItem,dynamodb:UpdateItem on StoresDeliveries",
    "dynamodb:BatchWriteItem,dynamodb:UpdateItem on StoresDeadLetters",
    "logs:CreateLogStream,logs:PutLogEvents on IngestForwardFramesLogGroup",
    expect.stringMatching(/^sqs:ChangeMessageVisibility,.*,sqs:SendMessage on IngestForwardFramesQueue$/),
  ];
  expect(grantsOf(directOnly)).toEqual(own);
  expect(grantsOf(template)).toEqual([
    ...own,
    "sqs:SendMessage on [IngestCircuitQueue,IngestRoutealarmRetryQueue,IngestRoutelocationRetryQueue]",
  ]);
});

test("the function of dead letters may record those that come in parts", () => {
  const line = "DeadLettersFunctionRole: Allow dynamodb:BatchWriteItem,dynamodb:UpdateItem on StoresDeadLetters";
  expect(grants(template)).toContain(line);
});

test.for([11, 50, 200, 999])("with maxConcurrency %i no more requests can be under way", (maxConcurrency) => {
  const bounded = templateOf({ uplink: "relay", api: { ...input.api, maxConcurrency } });
  const functions = bounded.findResources("AWS::Lambda::Function");
  const parallel = (id: string) => Number(functions[id]?.Properties.Environment.Variables.PARALLEL_REQUESTS);
  const reserved = Object.entries(functions)
    .filter(([id]) => /^IngestForward(Direct|Frames)/.test(id))
    .map(([id, { Properties }]) => Properties.ReservedConcurrentExecutions * parallel(id));
  const mapped = Object.values(bounded.findResources("AWS::Lambda::EventSourceMapping"))
    .filter(({ Properties }) => /^IngestForward(Fresh|Retry)/.test(Properties.FunctionName.Ref))
    .map(({ Properties }) => Properties.ScalingConfig.MaximumConcurrency * parallel(Properties.FunctionName.Ref));
  expect([reserved.length, mapped.length]).toEqual([2, 4]);
  const requests = [...reserved, ...mapped].reduce((sum, each) => sum + each, 0);
  expect(requests).toBeLessThanOrEqual(maxConcurrency);
  expect(requests).toBeGreaterThan(maxConcurrency * 0.8);
});

test("alarms watch the function and its queue", () => {
  const queueName = Match.objectLike({ "Fn::GetAtt": [queueOf().id, "QueueName"] });
  template.hasResourceProperties("AWS::CloudWatch::Alarm", {
    AlarmName: "acme-test-function-fails-frames",
    Dimensions: [{ Name: "FunctionName", Value: { Ref: functionOf().id } }],
  });
  template.hasResourceProperties("AWS::CloudWatch::Alarm", {
    AlarmName: "acme-test-frames-not-settled",
    Metrics: Match.arrayWith([
      Match.objectLike({
        MetricStat: { Metric: { Dimensions: [{ Name: "QueueName", Value: queueName }] } },
      }),
    ]),
  });
});
