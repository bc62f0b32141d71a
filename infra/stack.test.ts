import { Match, type Template } from "aws-cdk-lib/assertions";
import { expect, test } from "vitest";
import { type SchemeInput, secret } from "../scheme/define-scheme.ts";
import type { RouteInput } from "../scheme/scheme.ts";
import { type CloudFormationTemplate, checkTemplate } from "./check-template.ts";
import { findIn, grants, input, templateOf } from "./testing.ts";

const template = templateOf();

function find(type: string, idPattern: RegExp, from = template) {
  return findIn(from, type, idPattern);
}

/** The scheme with more of one QoS 1 route. */
function withRoute(change: Partial<RouteInput>): Partial<SchemeInput> {
  const { location } = input.routes;
  if (location === undefined) throw new Error("the route of this test is gone");
  return { routes: { ...input.routes, location: { ...location, ...change } } };
}

const columns =
  "encode(*, 'base64') AS data, topic() AS topic, timestamp() AS receivedAt, traceid() AS traceId, " +
  "get_user_properties() AS userProperties, get_mqtt_property('content_type') AS contentType, " +
  "get_mqtt_property('format_indicator') AS payloadFormat, get_mqtt_property('response_topic') AS responseTopic, " +
  "get_mqtt_property('correlation_data') AS correlationData, clientid() AS broker";

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
          QueueUrl: { Ref: find("AWS::SQS::Queue", /^DeadLettersQueue/).id },
          RoleArn: { "Fn::GetAtt": [find("AWS::IAM::Role", /^DeadLettersErrorAction/).id, "Arn"] },
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

test.for(["location", "alarm"])("QoS 1 route %s has a fresh queue, whose failures move to a retry queue", (route) => {
  const fresh = find("AWS::SQS::Queue", new RegExp(`^IngestRoute${route}Queue`));
  const retry = find("AWS::SQS::Queue", new RegExp(`^IngestRoute${route}RetryQueue`));
  const common = { MessageRetentionPeriod: 14 * 24 * 3600, SqsManagedSseEnabled: true };
  const arn = ({ id }: { readonly id: string }) => ({ "Fn::GetAtt": [id, "Arn"] });
  expect(fresh.properties).toEqual({
    ...common,
    QueueName: `acme-test-route-${route}`,
    VisibilityTimeout: 6 * 240,
    RedrivePolicy: { deadLetterTargetArn: arn(retry), maxReceiveCount: 1 },
  });
  expect(retry.properties).toEqual({
    ...common,
    QueueName: `acme-test-retry-${route}`,
    VisibilityTimeout: 6 * 120,
    RedrivePolicy: {
      deadLetterTargetArn: arn(find("AWS::SQS::Queue", /^DeadLettersQueue/)),
      maxReceiveCount: 1000,
    },
  });
  expect(find("AWS::IoT::TopicRule", new RegExp(`^IngestRoute${route}Rule`)).properties).toMatchObject({
    TopicRulePayload: { Actions: [{ Sqs: { QueueUrl: { Ref: fresh.id }, UseBase64: false } }] },
  });
  for (const [queue, lane, batchSize, invocations] of [
    [fresh, "Fresh", 10, 3],
    [retry, "Retry", 4, 2], // one round
  ] as const) {
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      EventSourceArn: arn(queue),
      FunctionName: { Ref: find("AWS::Lambda::Function", new RegExp(`^IngestForward${lane}`)).id },
      BatchSize: batchSize,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: invocations },
      Enabled: Match.absent(),
    });
  }
});

test("a queue's messages are invisible for as long as its function may take, and can be put off from then on", () => {
  const functions = template.findResources("AWS::Lambda::Function");
  const queues = Object.entries(template.findResources("AWS::SQS::Queue"));
  const mappings = Object.values(template.findResources("AWS::Lambda::EventSourceMapping"));
  expect(mappings).toHaveLength(queues.length);
  for (const { Properties } of mappings) {
    const { Timeout, Environment } = functions[Properties.FunctionName.Ref]?.Properties ?? {};
    const [, queue] = queues.find(([id]) => id === Properties.EventSourceArn["Fn::GetAtt"][0]) ?? [];
    expect(queue?.Properties.VisibilityTimeout).toBe(6 * Timeout);
    const { MAXIMUM_DELAY_SECONDS } = Environment.Variables;
    if (MAXIMUM_DELAY_SECONDS !== undefined) expect(Number(MAXIMUM_DELAY_SECONDS)).toBe(43_200 - Timeout);
  }
});

test("no queue is spoken to without TLS", () => {
  template.resourceCountIs("AWS::SQS::QueuePolicy", 6);
  template.allResourcesProperties("AWS::SQS::QueuePolicy", {
    PolicyDocument: {
      Statement: [{ Effect: "Deny", Action: "sqs:*", Condition: { Bool: { "aws:SecureTransport": "false" } } }],
    },
  });
});

test("what arrives in the queue of dead letters is written down, and stays there where it cannot be", () => {
  const queue = find("AWS::SQS::Queue", /^DeadLettersQueue/);
  const recorder = find("AWS::Lambda::Function", /^DeadLettersFunction/);
  expect(queue.properties).toEqual({
    QueueName: "acme-test-dead-letters",
    MessageRetentionPeriod: 14 * 24 * 3600,
    SqsManagedSseEnabled: true,
    VisibilityTimeout: 6 * 40,
  });
  template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    EventSourceArn: { "Fn::GetAtt": [queue.id, "Arn"] },
    FunctionName: { Ref: recorder.id },
    BatchSize: 10,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
  expect(recorder.properties).toMatchObject({
    Environment: {
      Variables: {
        DEAD_LETTERS_TABLE: { Ref: find("AWS::DynamoDB::Table", /^StoresDeadLetters/).id },
        DELIVERIES_TABLE: { Ref: find("AWS::DynamoDB::Table", /^StoresDeliveries/).id },
      },
    },
  });
});

test("one circuit function at a time, every minute and when a circuit opens", () => {
  const circuit = find("AWS::Lambda::Function", /^IngestCircuitFunction/);
  const queue = find("AWS::SQS::Queue", /^IngestCircuitQueue/);
  const rule = find("AWS::Events::Rule", /^IngestCircuitEveryMinute/);
  expect(circuit.properties).toMatchObject({ ReservedConcurrentExecutions: 1 });
  expect(queue.properties).toMatchObject({ QueueName: "acme-test-circuit", MessageRetentionPeriod: 60 });
  template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    EventSourceArn: { "Fn::GetAtt": [queue.id, "Arn"] },
    FunctionName: { Ref: circuit.id },
  });
  expect(rule.properties).toMatchObject({
    ScheduleExpression: "rate(1 minute)",
    State: "ENABLED",
    Targets: [{ Arn: { "Fn::GetAtt": [circuit.id, "Arn"] } }],
  });
  template.hasResourceProperties("AWS::Lambda::Permission", {
    FunctionName: { "Fn::GetAtt": [circuit.id, "Arn"] },
    Principal: "events.amazonaws.com",
    SourceArn: { "Fn::GetAtt": [rule.id, "Arn"] },
  });
  template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
    FunctionName: { Ref: circuit.id },
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
  });
});

test("each function knows what it needs, and the API's address is the parameter's", () => {
  const ref = (type: string, id: RegExp) => ({ Ref: find(type, id).id });
  const direct = {
    API_URL: { Ref: "ApiUrl" },
    PARALLEL_REQUESTS: "1",
    LANE: "direct",
    COMMANDS_TABLE: "",
    ONLINE_QUEUE_URL: "",
    NODE_OPTIONS: "--enable-source-maps",
    POWERTOOLS_LOG_LEVEL: "INFO",
    POWERTOOLS_METRICS_NAMESPACE: "Trestle",
    POWERTOOLS_SERVICE_NAME: "acme-test",
  };
  const queued = {
    ...direct,
    DELIVERIES_TABLE: ref("AWS::DynamoDB::Table", /^StoresDeliveries/),
    DEAD_LETTERS_TABLE: ref("AWS::DynamoDB::Table", /^StoresDeadLetters/),
    MESSAGES_TABLE: "",
    CIRCUIT_QUEUE_URL: ref("AWS::SQS::Queue", /^IngestCircuitQueue/),
  };
  const expected = [
    [/^IngestForwardDirect/, direct],
    [/^IngestForwardFresh/, { ...queued, LANE: "fresh", PARALLEL_REQUESTS: "4", MAXIMUM_DELAY_SECONDS: "42960" }],
    [/^IngestForwardRetry/, { ...queued, LANE: "retry", PARALLEL_REQUESTS: "4", MAXIMUM_DELAY_SECONDS: "43080" }],
    [
      /^IngestCircuitFunction/,
      {
        ...queued,
        LANE: "retry",
        PARALLEL_REQUESTS: "2", // one for each QoS 1 route
        MAXIMUM_DELAY_SECONDS: "43030",
        RETRY_FUNCTION_NAME: ref("AWS::Lambda::Function", /^IngestForwardRetry/),
      },
    ],
  ] as const;
  for (const [id, Variables] of expected) {
    expect(find("AWS::Lambda::Function", id).properties).toMatchObject({ Environment: { Variables } });
  }
  template.hasParameter("ApiUrl", { Type: "String", Default: "https://api.example.com/base" });
});

test("all functions have one runtime, and a log group of their own", () => {
  template.resourceCountIs("AWS::Lambda::Function", 5);
  template.allResourcesProperties("AWS::Lambda::Function", { Runtime: "nodejs24.x", Architectures: ["arm64"] });
  template.resourceCountIs("AWS::Logs::LogGroup", 5);
  template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 30 });
});

const kept = {
  DeletionPolicy: "Retain",
  UpdateReplacePolicy: "Retain",
  Properties: { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
};

test("tables are paid by request, forget what has expired, and those that matter outlive the stack", () => {
  const keeping = templateOf(withRoute({ keep: { days: 30 } }));
  keeping.allResourcesProperties("AWS::DynamoDB::Table", {
    BillingMode: "PAY_PER_REQUEST",
    TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
  });
  const key = (name: string, KeyType: string) => ({ AttributeName: name, KeyType });
  keeping.hasResource("AWS::DynamoDB::Table", {
    DeletionPolicy: "Delete",
    Properties: { TableName: "acme-test-deliveries", KeySchema: [key("id", "HASH")] },
  });
  keeping.hasResource("AWS::DynamoDB::Table", {
    ...kept,
    Properties: {
      ...kept.Properties,
      TableName: "acme-test-dead-letters",
      KeySchema: [key("id", "HASH")],
      GlobalSecondaryIndexes: [
        {
          IndexName: "byRoute",
          KeySchema: [key("route", "HASH"), key("at", "RANGE")],
          Projection: { ProjectionType: "ALL" },
        },
      ],
      AttributeDefinitions: Match.arrayWith([{ AttributeName: "at", AttributeType: "N" }]),
    },
  });
  keeping.hasResource("AWS::DynamoDB::Table", {
    ...kept,
    Properties: {
      ...kept.Properties,
      TableName: "acme-test-messages",
      KeySchema: [key("deviceId", "HASH"), key("position", "RANGE")],
    },
  });
  template.resourceCountIs("AWS::DynamoDB::Table", 2); // no route keeps its messages
});

const log = (id: string) => `Allow logs:CreateLogStream,logs:PutLogEvents on ${id}LogGroup`;
const consume =
  "Allow sqs:ChangeMessageVisibility,sqs:DeleteMessage,sqs:GetQueueAttributes,sqs:GetQueueUrl,sqs:ReceiveMessage";
const attempt = "dynamodb:BatchGetItem,dynamodb:BatchWriteItem,dynamodb:GetItem,dynamodb:UpdateItem";

test("each role may do what it is for, with nothing but its own resources", () => {
  const granted = Map.groupBy(grants(template), (line) => line.slice(0, line.indexOf("Role:")));
  const grantsOf = (id: string) => granted.get(id)?.map((line) => line.slice(line.indexOf(":") + 2));
  const forward = (lane: string, queues: string) =>
    [
      `Allow ${attempt} on StoresDeliveries`,
      "Allow dynamodb:BatchWriteItem on StoresDeadLetters",
      log(`IngestForward${lane}`),
      "Allow sqs:SendMessage on IngestCircuitQueue",
      `${consume} on ${queues}`,
    ].sort();
  expect(Object.fromEntries([...granted.keys()].map((id) => [id, grantsOf(id)]))).toEqual({
    DeadLettersErrorAction: ["Allow sqs:SendMessage on DeadLettersQueue"],
    DeadLettersFunction: [
      "Allow dynamodb:BatchGetItem on StoresDeliveries",
      "Allow dynamodb:BatchWriteItem on StoresDeadLetters",
      log("DeadLettersFunction"),
      `${consume} on DeadLettersQueue`,
    ],
    IngestCircuitFunction: [
      `Allow ${attempt} on StoresDeliveries`,
      'Allow lambda:ListEventSourceMappings on "*"',
      expect.stringMatching(
        /^Allow lambda:UpdateEventSourceMapping on \[.*RoutealarmRetry.*RoutelocationRetry\w*[^*]*$/,
      ),
      log("IngestCircuitFunction"),
      `${consume} on [IngestCircuitQueue,IngestRoutealarmRetryQueue,IngestRoutelocationRetryQueue]`,
    ],
    IngestForwardDirect: [log("IngestForwardDirect")],
    IngestForwardFresh: forward("Fresh", "[IngestRoutealarmQueue,IngestRoutelocationQueue]"),
    IngestForwardRetry: forward("Retry", "[IngestRoutealarmRetryQueue,IngestRoutelocationRetryQueue]"),
    IngestRoutealarm: ["Allow sqs:SendMessage on IngestRoutealarmQueue"],
    IngestRoutelocation: ["Allow sqs:SendMessage on IngestRoutelocationQueue"],
  });
});

test("forward may hold leases and keep messages where a route asks for it", () => {
  const lines = grants(templateOf(withRoute({ keep: { days: 30 }, lease: { hours: 24 } })));
  const more = lines.filter((line) => !grants(template).includes(line));
  expect(more).toEqual(
    ["Fresh", "Retry"].flatMap((lane) => [
      `IngestForward${lane}Role: Allow dynamodb:BatchGetItem,dynamodb:BatchWriteItem,dynamodb:DeleteItem,` +
        "dynamodb:GetItem,dynamodb:PutItem,dynamodb:UpdateItem on StoresDeliveries",
      `IngestForward${lane}Role: Allow dynamodb:BatchWriteItem on [StoresDeadLetters,StoresMessages]`,
    ]),
  );
});

test("a function may read the secrets that api.headers names", () => {
  const headers = { "x-api-key": secret("acme/api-key"), "x-other": secret("acme/api-key"), "x-plain": "1" };
  const statements = grants(templateOf({ api: { ...input.api, headers } })).filter((line) => line.includes("secrets"));
  const arn =
    '{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":secretsmanager:",{"Ref":"AWS::Region"},":",' +
    '{"Ref":"AWS::AccountId"},":secret:acme/api-key-??????"]]}';
  expect(statements).toEqual(
    ["IngestCircuitFunction", "IngestForwardDirect", "IngestForwardFresh", "IngestForwardRetry"].map(
      (name) => `${name}Role: Allow secretsmanager:GetSecretValue on ${arn}`,
    ),
  );
});

test("a function may read the secrets that requests are signed with", () => {
  const signing = [secret("acme/signing"), secret("acme/next")];
  const statements = grants(templateOf({ api: { ...input.api, signing } })).filter((line) => line.includes("secrets"));
  expect(statements).toHaveLength(4); // one for each function that makes requests
  for (const { name } of signing) expect(statements.every((line) => line.includes(`:${name}-??????`))).toBe(true);
});

test("a topic rule's role trusts AWS IoT of this account alone", () => {
  for (const name of [/^DeadLettersErrorAction/, /^IngestRoutelocationRole/]) {
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
  queuedOnly.resourceCountIs("AWS::Lambda::Function", 4);
  const directOnly = templateOf({ routes: { health } });
  directOnly.resourceCountIs("AWS::Lambda::Function", 2); // dead letters come from its rule, too
  directOnly.resourceCountIs("AWS::Lambda::EventSourceMapping", 1);
  directOnly.resourceCountIs("AWS::Events::Rule", 0);
  directOnly.hasResourceProperties("AWS::Lambda::Function", { ReservedConcurrentExecutions: 50 });
});

test("alarms watch the functions that there are", () => {
  const watched = (from: Template) =>
    Object.values(from.findResources("AWS::CloudWatch::Alarm", { Properties: { Namespace: "AWS/Lambda" } })).map(
      ({ Properties }) => [Properties.AlarmName, Properties.Dimensions[0].Value.Ref],
    );
  const alarms = { email: "ops@example.com" };
  const { health } = input.routes;
  if (health === undefined) throw new Error("the route of this test is gone");
  const recorder = ["acme-test-function-fails-dead-letters", expect.stringMatching(/^DeadLettersFunction/)];
  const circuit = ["acme-test-function-fails-circuit", expect.stringMatching(/^IngestCircuitFunction/)];
  expect(watched(templateOf({ alarms })).toSorted()).toEqual([circuit, recorder]);
  expect(watched(templateOf({ alarms, routes: { health } }))).toEqual([recorder]);
});

test("a route may have any name", () => {
  const names = ["ForwardDirect", "Resource", "a", "aQueue", "A", "Route", "Default"];
  const routes = Object.fromEntries(names.map((name) => [name, { topic: `${name}/{deviceId}`, qos: 1 as const }]));
  templateOf({ routes }).resourceCountIs("AWS::IoT::TopicRule", names.length);
});

test.for([9, 50, 73, 200, 999])("with maxConcurrency %i no more requests can be under way", (maxConcurrency) => {
  const bounded = templateOf({ api: { ...input.api, maxConcurrency } });
  const functions = bounded.findResources("AWS::Lambda::Function");
  const direct = find("AWS::Lambda::Function", /^IngestForwardDirect/, bounded).properties;
  const { ReservedConcurrentExecutions } = direct as { readonly ReservedConcurrentExecutions: number };
  const perQueue = Object.values(bounded.findResources("AWS::Lambda::EventSourceMapping")).map(({ Properties }) => {
    const id: string = Properties.FunctionName.Ref;
    if (!id.startsWith("IngestForward")) return 0;
    const { PARALLEL_REQUESTS } = functions[id]?.Properties.Environment.Variables ?? {};
    return Properties.ScalingConfig.MaximumConcurrency * Number(PARALLEL_REQUESTS);
  });
  expect(perQueue.filter((requests) => requests > 0)).toHaveLength(4); // two for each QoS 1 route
  const requests = ReservedConcurrentExecutions + perQueue.reduce((sum, each) => sum + each, 0);
  expect(requests).toBeLessThanOrEqual(maxConcurrency);
  expect(requests).toBeGreaterThan(maxConcurrency * 0.8);
});

test("a maxConcurrency below what AWS can be limited to is refused", () => {
  expect(() => templateOf({ api: { ...input.api, maxConcurrency: 8 } })).toThrow(/8 is too small: .* makes 9/);
});

test("CloudFormation has every resource type and property", () => {
  const headers = { "x-api-key": secret("acme/api-key") };
  const everything = {
    ...withRoute({ keep: { days: 30 }, lease: { hours: 24 } }),
    api: { ...input.api, headers },
    alarms: { email: "ops@example.com" },
  };
  for (const each of [template, templateOf(everything)]) {
    expect(checkTemplate(each.toJSON() as CloudFormationTemplate)).toEqual([]);
  }
});

test("the template holds no metadata of the tools", () => {
  template.resourceCountIs("AWS::CDK::Metadata", 0);
  expect(Object.keys(template.toJSON())).toEqual(["Description", "Parameters", "Resources"]);
});
