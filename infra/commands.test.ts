import { Match, type Template } from "aws-cdk-lib/assertions";
import { expect, test } from "vitest";
import { pushOperations } from "../scheme/command/push-operations.ts";
import { type SchemeInput, secret } from "../scheme/define-scheme.ts";
import { type CloudFormationTemplate, checkTemplate } from "./check-template.ts";
import { findIn, grants, templateOf } from "./testing.ts";

const commands = { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" };
const feeds = { orders: { topic: "orders/{orderId}" } };
const broker = { url: "mqtts://broker.example.com:8883" };
const authorization = { issuer: "https://login.example.com/", audiences: ["push", "ops"], scopes: ["fleet:push"] };
const vpc = { id: "vpc-0000000a", subnetIds: ["subnet-0000000a", "subnet-0000000b"] };

/** One template with what each choice adds, and what is left of it where feeds are all there is. */
const schemes = {
  plain: { commands, feeds, brokers: [broker] },
  jwt: { commands: { ...commands, authorization }, brokers: [broker] },
  vpc: { commands, brokers: [{ ...broker, vpc, credentials: secret("acme/broker"), ca: secret("acme/ca") }] },
  dataPlane: { commands, feeds, brokers: [broker, { url: "aws-iot:" }] },
  feedsOnly: { feeds, brokers: [{ ...broker, vpc: { ...vpc, securityGroupIds: ["sg-0000000a"] } }] },
} satisfies Readonly<Record<string, Partial<SchemeInput>>>;
const templates = new Map(Object.entries(schemes).map(([name, scheme]) => [name, templateOf(scheme)]));

function template(name: keyof typeof schemes = "plain"): Template {
  const found = templates.get(name);
  if (found === undefined) throw new Error(`no template ${name}`);
  return found;
}

function find(type: string, idPattern: RegExp, from = template()) {
  return findIn(from, type, idPattern);
}

const arnOf = (type: string, idPattern: RegExp) => ({ "Fn::GetAtt": [find(type, idPattern).id, "Arn"] });
const refTo = (type: string, idPattern: RegExp) => ({ Ref: find(type, idPattern).id });

test.for([...templates])("CloudFormation has every resource type and property: %s", ([, each]) => {
  expect(checkTemplate(each.toJSON() as CloudFormationTemplate)).toEqual([]);
});

/** Route key and settings of every route. */
function routes(from: Template): readonly (readonly [key: string, settings: Readonly<Record<string, unknown>>])[] {
  const all = Object.values(from.findResources("AWS::ApiGatewayV2::Route")).map(({ Properties }) => Properties);
  return all.map(({ RouteKey, ...settings }) => [RouteKey, settings]);
}

test.for([...templates])("every operation has its route, and what is none has one: %s", ([, each]) => {
  const keys = Object.values(pushOperations).map(({ method, path }) => `${method} ${path}`);
  expect(
    routes(each)
      .map(([key]) => key)
      .toSorted(),
  ).toEqual(["$default", ...keys].toSorted());
});

test.for([
  ["plain", "AWS_IAM"],
  ["jwt", "JWT"],
  ["vpc", "AWS_IAM"],
  ["dataPlane", "AWS_IAM"],
  ["feedsOnly", "AWS_IAM"],
] as const)("no route is open: %s has %s", ([name, type]) => {
  // An API that a default made would have routes of its own.
  template(name).resourceCountIs("AWS::ApiGatewayV2::Api", 1);
  for (const [key, { AuthorizationType, AuthorizerId }] of routes(template(name))) {
    expect([key, AuthorizationType, AuthorizerId !== undefined]).toEqual([key, type, type === "JWT"]);
  }
});

test("tokens are of the issuer, for an audience and a scope of the scheme", () => {
  const authorizer = find("AWS::ApiGatewayV2::Authorizer", /Jwt/, template("jwt"));
  expect(authorizer.properties).toMatchObject({
    AuthorizerType: "JWT",
    IdentitySource: ["$request.header.Authorization"],
    JwtConfiguration: { Issuer: authorization.issuer, Audience: authorization.audiences },
  });
  for (const [, settings] of routes(template("jwt"))) {
    expect(settings).toMatchObject({
      AuthorizerId: { Ref: authorizer.id },
      AuthorizationScopes: authorization.scopes,
    });
  }
});

test("calls are paced, and reach the function in the second format", () => {
  const api = find("AWS::ApiGatewayV2::Api", /^CommandsPush/);
  expect(find("AWS::ApiGatewayV2::Stage", /^CommandsPush/).properties).toMatchObject({
    ApiId: { Ref: api.id },
    StageName: "$default",
    AutoDeploy: true,
    DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
  });
  expect(find("AWS::ApiGatewayV2::Integration", /^CommandsPush/).properties).toEqual({
    ApiId: { Ref: api.id },
    IntegrationType: "AWS_PROXY",
    IntegrationUri: arnOf("AWS::Lambda::Function", /^CommandsPush/),
    PayloadFormatVersion: "2.0",
  });
  template().hasResourceProperties("AWS::Lambda::Permission", {
    FunctionName: arnOf("AWS::Lambda::Function", /^CommandsPush/),
    Principal: "apigateway.amazonaws.com",
    SourceArn: { "Fn::Join": ["", Match.arrayWith([":execute-api:", { Ref: api.id }, "/*"])] },
  });
  template().hasOutput("PushUrl", { Value: { "Fn::GetAtt": [api.id, "ApiEndpoint"] } });
});

test.for([
  [1, 10],
  [51, 11],
  [500, 100],
  [10_000, 2000],
] as const)("%i calls a second are %i invocations at one time, at most", ([maxPerSecond, invocations]) => {
  const paced = templateOf({ commands: { ...commands, maxPerSecond }, brokers: [broker] });
  expect(find("AWS::Lambda::Function", /^CommandsPush/, paced).properties).toMatchObject({
    ReservedConcurrentExecutions: invocations,
    Timeout: 29, // before API Gateway gives up
  });
  paced.hasResourceProperties("AWS::ApiGatewayV2::Stage", {
    DefaultRouteSettings: { ThrottlingRateLimit: maxPerSecond, ThrottlingBurstLimit: 2 * maxPerSecond },
  });
});

test("the ledger of commands outlives the stack, and is found by device and by what is due", () => {
  const key = (name: string, KeyType: string) => ({ AttributeName: name, KeyType });
  template().hasResource("AWS::DynamoDB::Table", {
    DeletionPolicy: "Retain",
    UpdateReplacePolicy: "Retain",
    Properties: {
      TableName: "acme-test-commands",
      BillingMode: "PAY_PER_REQUEST",
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      KeySchema: [key("id", "HASH")],
      GlobalSecondaryIndexes: [
        {
          IndexName: "byDevice",
          KeySchema: [key("deviceId", "HASH"), key("id", "RANGE")],
          Projection: { ProjectionType: "ALL" },
        },
        {
          IndexName: "byDue",
          KeySchema: [key("due", "HASH"), key("dueAt", "RANGE")],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["deviceId", "kind", "state"] },
        },
      ],
      AttributeDefinitions: Match.arrayWith([{ AttributeName: "dueAt", AttributeType: "N" }]),
    },
  });
});

test("one sweep at a time, every minute and when a device comes online", () => {
  const sweep = find("AWS::Lambda::Function", /^CommandsSweep/);
  const queue = find("AWS::SQS::Queue", /^CommandsSweepOnlineQueue/);
  const rule = find("AWS::Events::Rule", /^CommandsSweep/);
  expect(sweep.properties).toMatchObject({ ReservedConcurrentExecutions: 1, Timeout: 60 });
  expect(queue.properties).toMatchObject({ QueueName: "acme-test-online", MessageRetentionPeriod: 900 });
  template().hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    EventSourceArn: { "Fn::GetAtt": [queue.id, "Arn"] },
    FunctionName: { Ref: sweep.id },
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
  expect(rule.properties).toMatchObject({
    ScheduleExpression: "rate(1 minute)",
    State: "ENABLED",
    Targets: [{ Arn: { "Fn::GetAtt": [sweep.id, "Arn"] } }],
  });
  template().hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
    FunctionName: { Ref: sweep.id },
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
  });
});

test("replies have a rule as routes do, and a queue that gives up after five receives", () => {
  const queue = find("AWS::SQS::Queue", /^CommandsReplies/);
  expect(queue.properties).toMatchObject({
    QueueName: "acme-test-replies",
    MessageRetentionPeriod: 14 * 24 * 3600,
    SqsManagedSseEnabled: true,
    RedrivePolicy: { deadLetterTargetArn: arnOf("AWS::SQS::Queue", /^DeadLettersQueue/), maxReceiveCount: 5 },
  });
  template().hasResourceProperties("AWS::IoT::TopicRule", {
    RuleName: "acme_test_replies",
    TopicRulePayload: {
      Sql: Match.stringLikeRegexp("^SELECT 'replies' AS route, .* FROM 'Push/Replies/\\+'$"),
      AwsIotSqlVersion: "2016-03-23",
      Description: "Replies to commands: Push/Replies/{deviceId}",
      Actions: [{ Sqs: { QueueUrl: { Ref: queue.id }, UseBase64: false } }],
      ErrorAction: { Sqs: { QueueUrl: refTo("AWS::SQS::Queue", /^DeadLettersQueue/) } },
    },
  });
  template().hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    EventSourceArn: { "Fn::GetAtt": [queue.id, "Arn"] },
    FunctionName: refTo("AWS::Lambda::Function", /^CommandsReplies/),
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
});

test("a queue's messages are invisible for six times as long as its function may take", () => {
  for (const [queue, lambda] of [
    [/^CommandsReplies/, /^CommandsReplies/],
    [/^CommandsSweepOnlineQueue/, /^CommandsSweep/],
  ] as const) {
    const { Timeout } = find("AWS::Lambda::Function", lambda).properties as { readonly Timeout: number };
    expect(find("AWS::SQS::Queue", queue).properties).toMatchObject({ VisibilityTimeout: 6 * Timeout });
  }
  template().allResourcesProperties("AWS::SQS::QueuePolicy", {
    PolicyDocument: { Statement: [{ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }] },
  });
});

test("each function knows what it needs, and the brokers' addresses are the parameter's", () => {
  const table = { COMMANDS_TABLE: refTo("AWS::DynamoDB::Table", /^StoresCommands/) };
  const publishing = { ...table, BROKER_URLS: { Ref: "BrokerUrls" } };
  const telling = { ...table, ONLINE_QUEUE_URL: refTo("AWS::SQS::Queue", /^CommandsSweepOnlineQueue/) };
  for (const [id, Variables] of [
    [/^CommandsPush/, publishing],
    [/^CommandsSweep/, publishing],
    [/^CommandsReplies/, { ...table, DEAD_LETTERS_TABLE: refTo("AWS::DynamoDB::Table", /^StoresDeadLetters/) }],
    [/^IngestForwardDirect/, telling],
    [/^IngestForwardFresh/, telling],
    [/^IngestForwardRetry/, telling],
    [/^IngestCircuit/, { COMMANDS_TABLE: "", ONLINE_QUEUE_URL: "" }],
  ] as const) {
    expect(find("AWS::Lambda::Function", id).properties).toMatchObject({ Environment: { Variables } });
  }
  template("dataPlane").hasParameter("BrokerUrls", { Type: "String", Default: `${broker.url},aws-iot:` });
});

test.for([
  ["mqtt://127.0.0.1:1883", true],
  ["mqtts://user:password@broker.example.com,aws-iot:,mqtt://[::1]:20001", true],
  ["", false],
  ["mqtts://a,", false],
  ["mqtts://a, mqtts://b", false],
  ["https://broker.example.com", false],
  ["aws-iot", false],
] as const)("the parameter takes '%s': %s", ([value, isTaken]) => {
  const { AllowedPattern } = template().findParameters("BrokerUrls").BrokerUrls ?? {};
  expect(new RegExp(AllowedPattern).test(value)).toBe(isTaken);
});

/** What the functions of commands may do, but for their logs, and what `forward` may with commands. */
function grantsOf(name: keyof typeof schemes): readonly string[] {
  return grants(template(name))
    .filter((line) => line.startsWith("Commands") || /(StoresCommands|OnlineQueue)/.test(line))
    .filter((line) => !line.includes("logs:"));
}

const consume =
  "Allow sqs:ChangeMessageVisibility,sqs:DeleteMessage,sqs:GetQueueAttributes,sqs:GetQueueUrl,sqs:ReceiveMessage";
const index = (name: string) => `{"Fn::Join":["",[StoresCommands,"/index/${name}"]]}`;

test("each role may do what it is for, with nothing but its own resources", () => {
  expect(grantsOf("plain")).toEqual(
    [
      "CommandsPushFunctionRole: Allow dynamodb:GetItem,dynamodb:PutItem,dynamodb:UpdateItem on StoresCommands",
      `CommandsPushFunctionRole: Allow dynamodb:Query on ${index("byDevice")}`,
      "CommandsRepliesRole: Allow sqs:SendMessage on CommandsRepliesQueue",
      "CommandsRepliesFunctionRole: Allow dynamodb:GetItem,dynamodb:UpdateItem on StoresCommands",
      "CommandsRepliesFunctionRole: Allow dynamodb:BatchWriteItem on StoresDeadLetters",
      `CommandsRepliesFunctionRole: ${consume} on CommandsRepliesQueue`,
      "CommandsSweepFunctionRole: Allow dynamodb:GetItem,dynamodb:Scan,dynamodb:UpdateItem on StoresCommands",
      `CommandsSweepFunctionRole: Allow dynamodb:Query on [${index("byDevice")},${index("byDue")}]`,
      `CommandsSweepFunctionRole: ${consume} on CommandsSweepOnlineQueue`,
      ...["Direct", "Fresh", "Retry"].map(
        (lane) => `IngestForward${lane}Role: Allow dynamodb:Query on ${index("byDue")}`,
      ),
      "IngestForwardDirectRole: Allow sqs:SendMessage on CommandsSweepOnlineQueue",
      ...["Fresh", "Retry"].map(
        (lane) => `IngestForward${lane}Role: Allow sqs:SendMessage on [CommandsSweepOnlineQueue,IngestCircuitQueue]`,
      ),
    ].toSorted(),
  );
});

test("the data plane may be used for the topics of commands and feeds alone", () => {
  const more = grantsOf("dataPlane").filter((line) => !grantsOf("plain").includes(line));
  const arn = (topic: string) =>
    `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iot:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":topic/${topic}"]]}`;
  const topics = `[${arn("Push/SDKControls/*")},${arn("orders/*")}]`;
  expect(more).toEqual(
    ["Push", "Sweep"].map(
      (name) => `Commands${name}FunctionRole: Allow iot:GetRetainedMessage,iot:Publish,iot:RetainPublish on ${topics}`,
    ),
  );
});

test("brokers' secrets are for those that connect to brokers", () => {
  const readers = grants(template("vpc")).filter((line) => line.includes("secretsmanager:"));
  expect(readers.map((line) => line.slice(0, line.indexOf(" on ")))).toEqual([
    "CommandsPushFunctionRole: Allow secretsmanager:GetSecretValue",
    "CommandsSweepFunctionRole: Allow secretsmanager:GetSecretValue",
  ]);
  for (const line of readers) expect(line).toMatch(/:secret:acme\/broker-\?{6}.*:secret:acme\/ca-\?{6}/);
});

test("those that connect to brokers are in the network of these, and no other function is", () => {
  const group = find("AWS::EC2::SecurityGroup", /^CommandsNetwork/, template("vpc"));
  expect(group.properties).toMatchObject({ VpcId: vpc.id });
  expect(group.properties).not.toHaveProperty("SecurityGroupIngress");
  const inNetwork = (name: keyof typeof schemes) =>
    Object.entries(template(name).findResources("AWS::Lambda::Function"))
      .filter(([, { Properties }]) => Properties.VpcConfig !== undefined)
      .map(([id, { Properties }]) => [id.replace(/Function[0-9A-F]+$/, ""), Properties.VpcConfig]);
  const made = { SubnetIds: vpc.subnetIds, SecurityGroupIds: [{ "Fn::GetAtt": [group.id, "GroupId"] }] };
  expect(inNetwork("vpc")).toEqual([
    ["CommandsPush", made],
    ["CommandsSweep", made],
  ]);
  const own = { SubnetIds: vpc.subnetIds, SecurityGroupIds: ["sg-0000000a"] };
  expect(inNetwork("feedsOnly")).toEqual([["CommandsPush", own]]);
  template("feedsOnly").resourceCountIs("AWS::EC2::SecurityGroup", 0);
  expect(inNetwork("plain")).toEqual([]);
});

test("Lambda may put a function into the network, and what the function runs may not", () => {
  const actions =
    "ec2:AssignPrivateIpAddresses,ec2:CreateNetworkInterface,ec2:DeleteNetworkInterface," +
    "ec2:DescribeNetworkInterfaces,ec2:DescribeSubnets,ec2:UnassignPrivateIpAddresses";
  expect(grants(template("vpc")).filter((line) => line.includes("ec2:"))).toEqual(
    ["Push", "Sweep"].flatMap((name) =>
      ["Allow", "Deny"].map((effect) => `Commands${name}FunctionRole: ${effect} ${actions} on "*"`),
    ),
  );
  template("vpc").hasResourceProperties("AWS::IAM::Policy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: "Deny",
          Condition: {
            ArnLike: { "lambda:SourceFunctionArn": { "Fn::Join": ["", Match.arrayWith([":function:*"])] } },
          },
        }),
      ]),
    },
  });
});

test.for([...templates])("no permission is for actions by a pattern: %s", ([, each]) => {
  for (const line of grants(each)) expect(line.slice(0, line.indexOf(" on "))).not.toContain("*");
});

test("with feeds alone there is the push endpoint, and nothing that commands need", () => {
  const feedsOnly = template("feedsOnly");
  expect(Object.keys(feedsOnly.findResources("AWS::Lambda::Function")).filter((id) => /^Commands/.test(id))).toEqual([
    expect.stringMatching(/^CommandsPush/),
  ]);
  feedsOnly.resourcePropertiesCountIs("AWS::DynamoDB::Table", { TableName: "acme-test-commands" }, 1); // idempotency keys
  feedsOnly.resourcePropertiesCountIs("AWS::IoT::TopicRule", { RuleName: "acme_test_replies" }, 0);
  for (const name of ["acme-test-replies", "acme-test-online"]) {
    feedsOnly.resourcePropertiesCountIs("AWS::SQS::Queue", { QueueName: name }, 0);
  }
  expect(find("AWS::Lambda::Function", /^IngestForwardFresh/, feedsOnly).properties).toMatchObject({
    Environment: { Variables: { COMMANDS_TABLE: "", ONLINE_QUEUE_URL: "" } },
  });
  expect(find("AWS::Lambda::Function", /^CommandsPush/, feedsOnly).properties).toMatchObject({
    ReservedConcurrentExecutions: 100,
    Environment: { Variables: { COMMANDS_TABLE: refTo("AWS::DynamoDB::Table", /^StoresCommands/) } },
  });
});

test("without commands and feeds there is nothing of them", () => {
  const without = templateOf({ brokers: [{ ...broker, vpc }] });
  const types = Object.values(without.toJSON().Resources as CloudFormationTemplate["Resources"]).map(
    ({ Type }) => Type,
  );
  expect(types.filter((type) => /^AWS::(ApiGatewayV2|EC2)::/.test(type))).toEqual([]);
  expect(Object.keys(without.toJSON().Resources).filter((id) => /^(Commands|StoresCommands)/.test(id))).toEqual([]);
  expect(Object.keys(without.toJSON().Parameters)).toEqual(["ApiUrl"]);
  expect(without.findOutputs("*")).toEqual({});
});

test("alarms watch the functions that there are", () => {
  const alarms = { email: "ops@example.com" };
  const names = (scheme: Partial<SchemeInput>) =>
    Object.values(templateOf({ ...scheme, alarms }).findResources("AWS::CloudWatch::Alarm"))
      .map(({ Properties }) => String(Properties.AlarmName).replace("acme-test-", ""))
      .filter((name) => /push|sweep|repl|commands/.test(name))
      .toSorted();
  expect(names(schemes.plain)).toEqual([
    "commands-not-published",
    "dead-lettered-replies",
    "function-fails-push",
    "function-fails-reply",
    "function-fails-sweep",
  ]);
  expect(names(schemes.feedsOnly)).toEqual(["function-fails-push"]);
});
