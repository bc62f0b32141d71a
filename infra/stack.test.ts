import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Match, Template } from "aws-cdk-lib/assertions";
import { afterAll, expect, test } from "vitest";
import cdk from "../cdk.json" with { type: "json" };
import { defineScheme, type SchemeInput, secret } from "../scheme/define-scheme.ts";
import { type CloudFormationTemplate, checkTemplate } from "./check-template.ts";
import { TrestleStack } from "./stack.ts";
import { createApp } from "./synthesize.ts";

const input: SchemeInput = {
  name: "acme",
  stage: "test",
  api: { url: "https://api.example.com/base", timeoutMs: 20_000, maxConcurrency: 50 },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    alarm: { topic: "v1/drivers/{deviceId}/alarm", qos: 1, where: "level > 3" },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
};

const folder = mkdtempSync(join(tmpdir(), "trestle-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The template of a scheme; its bundle, which takes most of the time, is another test's. */
function templateOf(change: Partial<SchemeInput> = {}): Template {
  const outdir = mkdtempSync(join(folder, "cdk.out-"));
  const app = createApp({ outdir, context: { ...cdk.context, "aws:cdk:bundling-stacks": [] } });
  return Template.fromStack(
    new TrestleStack(app, { scheme: defineScheme({ ...input, ...change }), configFile: "trestle.config.ts" }),
  );
}

const template = templateOf();

/** Logical ID and properties of the one resource of a type whose logical ID matches. */
function find(type: string, idPattern: RegExp, from = template): { readonly id: string; readonly properties: never } {
  const found = Object.entries(from.findResources(type)).filter(([id]) => idPattern.test(id));
  expect(found.map(([id]) => id)).toHaveLength(1);
  const [id = "", resource] = found[0] ?? [];
  return { id, properties: resource?.Properties as never };
}

const columns =
  "encode(*, 'base64') AS data, topic() AS topic, timestamp() AS receivedAt, traceid() AS traceId, " +
  "get_user_properties() AS userProperties, get_mqtt_property('content_type') AS contentType, " +
  "get_mqtt_property('format_indicator') AS payloadFormat, get_mqtt_property('response_topic') AS responseTopic, " +
  "get_mqtt_property('correlation_data') AS correlationData";

test.for([
  ["location", `SELECT 'location' AS route, ${columns} FROM 'v1/drivers/+/location'`],
  ["alarm", `SELECT 'alarm' AS route, ${columns} FROM 'v1/drivers/+/alarm' WHERE level > 3`],
  ["health", `SELECT 'health' AS route, ${columns} FROM 'v1/drivers/+/health'`],
] as const)("route %s has its rule", ([route, sql]) => {
  template.hasResourceProperties("AWS::IoT::TopicRule", {
    RuleName: `acme_test_${route}`,
    TopicRulePayload: {
      Sql: sql,
      AwsIotSqlVersion: "2016-03-23",
      Description: `Route ${route}: v1/drivers/{deviceId}/${route}`,
      Actions: [Match.anyValue()],
      ErrorAction: {
        Sqs: {
          QueueUrl: { Ref: find("AWS::SQS::Queue", /^DeadLetter/).id },
          RoleArn: { "Fn::GetAtt": [find("AWS::IAM::Role", /^IngestErrorAction/).id, "Arn"] },
          UseBase64: false,
        },
      },
    },
  });
});

test("a QoS 0 rule invokes the direct function, which it alone may do", () => {
  const { id } = find("AWS::Lambda::Function", /^IngestForwardDirect/);
  const rule = find("AWS::IoT::TopicRule", /^IngestRoutehealth/);
  expect(rule.properties).toMatchObject({
    TopicRulePayload: { Actions: [{ Lambda: { FunctionArn: { "Fn::GetAtt": [id, "Arn"] } } }] },
  });
  template.resourceCountIs("AWS::Lambda::Permission", 1);
  template.hasResourceProperties("AWS::Lambda::Permission", {
    Action: "lambda:InvokeFunction",
    FunctionName: { "Fn::GetAtt": [id, "Arn"] },
    Principal: "iot.amazonaws.com",
    SourceArn: { "Fn::GetAtt": [rule.id, "Arn"] },
    SourceAccount: { Ref: "AWS::AccountId" },
  });
});

test("the direct function forgets what fails, and holds no more requests than are left for it", () => {
  const { id, properties } = find("AWS::Lambda::Function", /^IngestForwardDirect/);
  expect(properties).toMatchObject({ ReservedConcurrentExecutions: 10, Timeout: 25 });
  template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
    FunctionName: { Ref: id },
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: Match.absent(),
  });
});

test.for(["location", "alarm"])("QoS 1 route %s has a queue of its own that feeds the queued function", (route) => {
  const queue = find("AWS::SQS::Queue", new RegExp(`^IngestRoute${route}Queue`));
  expect(queue.properties).toEqual({
    MessageRetentionPeriod: 14 * 24 * 3600,
    VisibilityTimeout: 6 * 25,
    SqsManagedSseEnabled: true,
    RedrivePolicy: {
      deadLetterTargetArn: { "Fn::GetAtt": [find("AWS::SQS::Queue", /^DeadLetter/).id, "Arn"] },
      maxReceiveCount: 5,
    },
  });
  expect(find("AWS::IoT::TopicRule", new RegExp(`^IngestRoute${route}Rule`)).properties).toMatchObject({
    TopicRulePayload: { Actions: [{ Sqs: { QueueUrl: { Ref: queue.id }, UseBase64: false } }] },
  });
  template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    EventSourceArn: { "Fn::GetAtt": [queue.id, "Arn"] },
    FunctionName: { Ref: find("AWS::Lambda::Function", /^IngestForwardQueued/).id },
    BatchSize: 10,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ScalingConfig: { MaximumConcurrency: 2 },
    Enabled: Match.absent(),
  });
  template.resourceCountIs("AWS::Lambda::EventSourceMapping", 2);
});

test("dead letters are kept for 14 days, encrypted", () => {
  expect(find("AWS::SQS::Queue", /^DeadLetter/).properties).toEqual({
    MessageRetentionPeriod: 14 * 24 * 3600,
    SqsManagedSseEnabled: true,
  });
});

test("no queue is spoken to without TLS", () => {
  template.resourceCountIs("AWS::SQS::QueuePolicy", 3);
  template.allResourcesProperties("AWS::SQS::QueuePolicy", {
    PolicyDocument: {
      Statement: [{ Effect: "Deny", Action: "sqs:*", Condition: { Bool: { "aws:SecureTransport": "false" } } }],
    },
  });
});

test("both functions are of one bundle and runtime, and take the API's address from the parameter", () => {
  template.resourceCountIs("AWS::Lambda::Function", 2);
  const { properties: direct } = find("AWS::Lambda::Function", /^IngestForwardDirect/);
  const { properties: queued } = find("AWS::Lambda::Function", /^IngestForwardQueued/);
  const { Code } = direct as { readonly Code: unknown };
  for (const [properties, parallelRequests] of [
    [direct, "1"],
    [queued, "10"],
  ] as const) {
    expect(properties).toMatchObject({
      Code,
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Environment: {
        Variables: {
          API_URL: { Ref: "ApiUrl" },
          PARALLEL_REQUESTS: parallelRequests,
          NODE_OPTIONS: "--enable-source-maps",
          POWERTOOLS_METRICS_NAMESPACE: "Trestle",
          POWERTOOLS_SERVICE_NAME: "acme-test",
        },
      },
    });
  }
  template.hasParameter("ApiUrl", { Type: "String", Default: "https://api.example.com/base" });
  template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 30 });
});

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Effect: string;
}

/** Who may do what with what: every statement of roles and policies, as text. */
function grants(from: Template): readonly string[] {
  const roles = Object.entries(from.findResources("AWS::IAM::Role")).flatMap(([id, { Properties }]) => {
    expect(Properties).not.toHaveProperty("ManagedPolicyArns");
    return (Properties.Policies ?? []).map(({ PolicyDocument }: { PolicyDocument: unknown }) => [id, PolicyDocument]);
  });
  const policies = Object.values(from.findResources("AWS::IAM::Policy")).map(({ Properties }) => [
    Properties.Roles[0].Ref,
    Properties.PolicyDocument,
  ]);
  return [...roles, ...policies]
    .flatMap(([role, { Statement }]: [string, { Statement: readonly Statement[] }]) =>
      Statement.map(({ Effect, Action, Resource }) => `${role}: ${Effect} ${[Action].flat()} on ${readable(Resource)}`),
    )
    .map((line) => line.replace(/[0-9A-F]{8}\b/g, "")) // the hash of a logical ID
    .sort();
}

function readable(resource: unknown): string {
  return JSON.stringify(resource).replace(/\{"Fn::GetAtt":\["(\w+)","Arn"\]\}/g, "$1");
}

test("each role may do what it is for, with nothing but its own resources", () => {
  const consume =
    "sqs:ChangeMessageVisibility,sqs:DeleteMessage,sqs:GetQueueAttributes,sqs:GetQueueUrl,sqs:ReceiveMessage";
  expect(grants(template)).toEqual([
    "IngestErrorActionRole: Allow sqs:SendMessage on DeadLetterQueue",
    "IngestForwardDirectRole: Allow logs:CreateLogStream,logs:PutLogEvents on IngestForwardDirectLogGroup",
    "IngestForwardQueuedRole: Allow logs:CreateLogStream,logs:PutLogEvents on IngestForwardQueuedLogGroup",
    `IngestForwardQueuedRole: Allow ${consume} on [IngestRoutealarmQueue,IngestRoutelocationQueue]`,
    "IngestRoutealarmRole: Allow sqs:SendMessage on IngestRoutealarmQueue",
    "IngestRoutelocationRole: Allow sqs:SendMessage on IngestRoutelocationQueue",
  ]);
});

test("a function may read the secrets that api.headers names", () => {
  const headers = { "x-api-key": secret("acme/api-key"), "x-other": secret("acme/api-key"), "x-plain": "1" };
  const statements = grants(templateOf({ api: { ...input.api, headers } })).filter((line) => line.includes("secrets"));
  const arn =
    '{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":secretsmanager:",{"Ref":"AWS::Region"},":",' +
    '{"Ref":"AWS::AccountId"},":secret:acme/api-key-??????"]]}';
  expect(statements).toEqual(
    ["Direct", "Queued"].map((name) => `IngestForward${name}Role: Allow secretsmanager:GetSecretValue on ${arn}`),
  );
});

test("a function may read the secrets that requests are signed with", () => {
  const signing = [secret("acme/signing"), secret("acme/next")];
  const statements = grants(templateOf({ api: { ...input.api, signing } })).filter((line) => line.includes("secrets"));
  expect(statements).toHaveLength(2); // one for each function
  for (const { name } of signing) expect(statements.every((line) => line.includes(`:${name}-??????`))).toBe(true);
});

test("a topic rule's role trusts AWS IoT of this account alone", () => {
  for (const name of [/^IngestErrorAction/, /^IngestRoutelocationRole/]) {
    expect(find("AWS::IAM::Role", name).properties).toMatchObject({
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Principal: { Service: "iot.amazonaws.com" },
            Condition: {
              StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
              ArnLike: { "aws:SourceArn": expect.anything() },
            },
          },
        ],
      },
    });
  }
});

test("there is no function for a QoS that no route has", () => {
  const { location, health } = input.routes;
  if (location === undefined || health === undefined) throw new Error("the routes of this test are gone");
  const queuedOnly = templateOf({ routes: { location } });
  queuedOnly.resourceCountIs("AWS::Lambda::Function", 1);
  queuedOnly.resourceCountIs("AWS::Lambda::EventInvokeConfig", 0);
  const directOnly = templateOf({ routes: { health } });
  directOnly.resourceCountIs("AWS::Lambda::Function", 1);
  directOnly.resourceCountIs("AWS::Lambda::EventSourceMapping", 0);
  directOnly.hasResourceProperties("AWS::Lambda::Function", { ReservedConcurrentExecutions: 50 });
});

test("a route may have any name", () => {
  const names = ["ForwardDirect", "Resource", "a", "aQueue", "A", "Route", "Default"];
  const routes = Object.fromEntries(names.map((name) => [name, { topic: `${name}/{deviceId}`, qos: 1 as const }]));
  templateOf({ routes }).resourceCountIs("AWS::IoT::TopicRule", names.length);
});

test.for([5, 50, 73, 200, 999])("with maxConcurrency %i no more requests can be under way", (maxConcurrency) => {
  const bounded = templateOf({ api: { ...input.api, maxConcurrency } });
  const direct = find("AWS::Lambda::Function", /^IngestForwardDirect/, bounded).properties;
  const queued = find("AWS::Lambda::Function", /^IngestForwardQueued/, bounded).properties;
  const { ReservedConcurrentExecutions } = direct as { readonly ReservedConcurrentExecutions: number };
  const { Environment } = queued as { readonly Environment: { readonly Variables: Readonly<Record<string, string>> } };
  const mappings = Object.values(bounded.findResources("AWS::Lambda::EventSourceMapping"));
  const invocations = mappings.reduce((sum, { Properties }) => sum + Properties.ScalingConfig.MaximumConcurrency, 0);
  const requests = ReservedConcurrentExecutions + invocations * Number(Environment.Variables.PARALLEL_REQUESTS);
  expect(requests).toBeLessThanOrEqual(maxConcurrency);
  expect(requests).toBeGreaterThan(maxConcurrency * 0.8);
});

test("a maxConcurrency below what AWS can be limited to is refused", () => {
  expect(() => templateOf({ api: { ...input.api, maxConcurrency: 4 } })).toThrow(/4 is too small: .* makes 5/);
});

test("CloudFormation has every resource type and property", () => {
  const headers = { "x-api-key": secret("acme/api-key") };
  for (const each of [template, templateOf({ api: { ...input.api, headers } })]) {
    expect(checkTemplate(each.toJSON() as CloudFormationTemplate)).toEqual([]);
  }
});

test("the template holds no metadata of the tools", () => {
  template.resourceCountIs("AWS::CDK::Metadata", 0);
  expect(Object.keys(template.toJSON())).toEqual(["Description", "Parameters", "Resources"]);
});
