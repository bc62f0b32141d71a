import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder, writeAssembly } from "../testing.ts";
import { readAssembly } from "./assembly.ts";
import type { Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";

const orders = { Type: "AWS::SQS::Queue" };
const forward = {
  Type: "AWS::Lambda::Function",
  Properties: {
    Code: { S3Bucket: { "Fn::Sub": "cdk-assets" }, S3Key: "forward.zip" },
    Handler: "index.handler",
    Role: { "Fn::GetAtt": ["Role", "Arn"] },
    Runtime: "nodejs24.x",
  },
};
const role = { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: { "Fn::Unknown": [] } } };
const mapping = {
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: { EventSourceArn: { "Fn::GetAtt": ["Orders", "Arn"] }, FunctionName: { Ref: "Forward" } },
};
const schedule = {
  Type: "AWS::Events::Rule",
  Properties: {
    ScheduleExpression: "rate(1 minute)",
    Targets: [{ Arn: { "Fn::GetAtt": ["Forward", "Arn"] }, Id: "Target0" }],
  },
};
const table = {
  Type: "AWS::DynamoDB::Table",
  Properties: {
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  },
};
const rule = {
  Type: "AWS::IoT::TopicRule",
  Properties: {
    RuleName: "acme_orders",
    TopicRulePayload: { Sql: "SELECT * FROM 'a'", Actions: [{ Sqs: { QueueUrl: { Ref: "Orders" } } }] },
  },
};

/** How the function `Forward` is invoked asynchronously. */
const withDestination = (DestinationConfig: object) => ({
  Type: "AWS::Lambda::EventInvokeConfig",
  Properties: { FunctionName: { Ref: "Forward" }, Qualifier: "$LATEST", DestinationConfig },
});

function plan(resources: object, sections: object = {}, parameters: Readonly<Record<string, string>> = {}): Plan {
  const bundle = temporaryFolder();
  const folder = writeAssembly({ Resources: resources, ...sections }, { "forward.zip": bundle });
  return readPlan(readAssembly(folder), parameters);
}

/** A resource with some properties changed. */
function withProperties(resource: { readonly Type: string; readonly Properties?: object }, properties: object): object {
  return { ...resource, Properties: { ...resource.Properties, ...properties } };
}

test("what a template leaves out has CloudFormation's defaults", () => {
  const { queues, functions, mappings, rules } = plan({
    Orders: orders,
    Forward: forward,
    Role: role,
    Mapping: mapping,
    Rule: rule,
  });
  expect([...queues.values()]).toEqual([
    {
      logicalId: "Orders",
      name: "acme-test-Orders",
      arn: "arn:aws:sqs:us-east-1:000000000000:acme-test-Orders",
      url: "https://sqs.us-east-1.amazonaws.com/000000000000/acme-test-Orders",
      visibilityTimeoutMs: 30_000,
      retentionMs: 345_600_000, // four days
      maximumMessageBytes: 1_048_576,
      redrive: undefined,
    },
  ]);
  expect([...functions.values()]).toMatchObject([
    {
      name: "acme-test-Forward",
      arn: "arn:aws:lambda:us-east-1:000000000000:function:acme-test-Forward",
      timeoutMs: 3000,
      memoryMb: 128,
      environment: {},
      reservedConcurrency: undefined,
      asynchronous: { maximumAgeMs: 21_600_000, retryAttempts: 2, onFailure: undefined },
    },
  ]);
  expect(mappings).toMatchObject([{ batchSize: 10, maximumConcurrency: undefined, reportsBatchItemFailures: false }]);
  expect(rules).toMatchObject([
    { name: "acme_orders", sqlVersion: "2015-10-08", isDisabled: false, errorAction: undefined },
  ]);
});

test("what a template says is in the plan, in milliseconds and bytes", () => {
  const { queues, functions, mappings, permissions, rules } = plan({
    Dead: withProperties(orders, { QueueName: "dead", MessageRetentionPeriod: 1_209_600 }),
    Orders: withProperties(orders, {
      QueueName: { "Fn::Join": ["-", ["orders", { Ref: "AWS::Region" }]] },
      VisibilityTimeout: 360,
      MaximumMessageSize: "1024",
      RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": "Dead.Arn" }, maxReceiveCount: 5 },
      Tags: [],
    }),
    Forward: withProperties(forward, {
      FunctionName: "forward",
      Timeout: 60,
      MemorySize: 512,
      ReservedConcurrentExecutions: 7,
      Environment: { Variables: { QUEUE: { "Fn::GetAtt": ["Orders", "QueueName"] } } },
    }),
    Events: {
      Type: "AWS::Lambda::EventInvokeConfig",
      Properties: {
        FunctionName: { Ref: "Forward" },
        Qualifier: "$LATEST",
        MaximumEventAgeInSeconds: 60,
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: { "Fn::GetAtt": ["Dead", "Arn"] } } },
      },
    },
    Role: role,
    Mapping: withProperties(mapping, {
      FunctionName: { "Fn::GetAtt": ["Forward", "Arn"] },
      BatchSize: 5,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: 3 },
    }),
    Rule: withProperties(rule, {
      TopicRulePayload: {
        Sql: "SELECT * FROM 'a'",
        AwsIotSqlVersion: "2016-03-23",
        RuleDisabled: true,
        Actions: [{ Lambda: { FunctionArn: "x" } }],
        ErrorAction: { Sqs: { QueueUrl: { Ref: "Dead" } } },
      },
    }),
    Permission: {
      Type: "AWS::Lambda::Permission",
      Properties: {
        Action: "lambda:InvokeFunction",
        FunctionName: { Ref: "Forward" },
        Principal: "iot.amazonaws.com",
        SourceArn: { "Fn::GetAtt": ["Rule", "Arn"] },
      },
    },
  });
  const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:forward";
  const queueArn = "arn:aws:sqs:us-east-1:000000000000:orders-us-east-1";
  const deadArn = "arn:aws:sqs:us-east-1:000000000000:dead";
  expect(queues.get(deadArn)).toMatchObject({ retentionMs: 1_209_600_000 });
  expect(queues.get(queueArn)).toMatchObject({
    visibilityTimeoutMs: 360_000,
    maximumMessageBytes: 1024,
    redrive: { toArn: deadArn, maxReceiveCount: 5 },
  });
  expect(functions.get(functionArn)).toMatchObject({
    timeoutMs: 60_000,
    memoryMb: 512,
    reservedConcurrency: 7,
    environment: { QUEUE: "orders-us-east-1" },
    asynchronous: {
      maximumAgeMs: 60_000,
      retryAttempts: 0,
      onFailure: { queueArn: deadArn, at: "Events.DestinationConfig.OnFailure" },
    },
  });
  expect(mappings).toMatchObject([
    { functionArn, queueArn, batchSize: 5, maximumConcurrency: 3, reportsBatchItemFailures: true },
  ]);
  const arn = "arn:aws:iot:us-east-1:000000000000:rule/acme_orders";
  expect(permissions).toEqual([{ functionArn, principal: "iot.amazonaws.com", sourceArn: arn }]);
  expect(rules).toEqual([
    {
      logicalId: "Rule",
      name: "acme_orders",
      arn,
      sql: "SELECT * FROM 'a'",
      sqlVersion: "2016-03-23",
      isDisabled: true,
      actions: [{ kind: "Lambda", properties: { FunctionArn: "x" }, at: "Rule.TopicRulePayload.Actions[0].Lambda" }],
      errorAction: {
        kind: "Sqs",
        properties: { QueueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/dead" },
        at: "Rule.TopicRulePayload.ErrorAction.Sqs",
      },
    },
  ]);
});

test("a mapping is enabled unless the template says otherwise, and its Ref is always the same UUID", () => {
  const resources = { Orders: orders, Role: role, Forward: forward };
  const read = (properties: object) =>
    plan({ ...resources, Mapping: withProperties(mapping, properties), Other: mapping }).mappings;
  const [first, other] = read({});
  expect(first).toMatchObject({ isEnabled: true });
  expect(read({ Enabled: false })).toMatchObject([{ isEnabled: false, uuid: first?.uuid }, { isEnabled: true }]);
  expect(first?.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(first?.arn).toBe(`arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${first?.uuid}`);
  expect(other?.uuid).not.toBe(first?.uuid);
  const Environment = { Variables: { MAPPING: { Ref: "Mapping" } } };
  const { functions } = plan({ ...resources, Forward: withProperties(forward, { Environment }), Mapping: mapping });
  expect([...functions.values()][0]?.environment).toEqual({ MAPPING: first?.uuid });
});

test("a table with an index and an end of its items", () => {
  const { tables } = plan({
    Table: withProperties(table, {
      TableName: "letters",
      AttributeDefinitions: [
        { AttributeName: "id", AttributeType: "S" },
        { AttributeName: "at", AttributeType: "N" },
      ],
      KeySchema: [
        { AttributeName: "id", KeyType: "HASH" },
        { AttributeName: "at", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "byTime",
          KeySchema: [{ AttributeName: "at", KeyType: "HASH" }],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["reason"] },
        },
      ],
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
      Tags: [],
    }),
    Plain: table,
  });
  expect(tables).toEqual([
    {
      logicalId: "Table",
      name: "letters",
      arn: "arn:aws:dynamodb:us-east-1:000000000000:table/letters",
      attributes: new Map([
        ["id", "S"],
        ["at", "N"],
      ]),
      key: { partition: "id", sort: "at" },
      indexes: [
        {
          name: "byTime",
          key: { partition: "at", sort: undefined },
          projection: "INCLUDE",
          includedAttributes: ["reason"],
        },
      ],
      timeToLiveAttribute: "expiresAt",
    },
    expect.objectContaining({ name: "acme-test-Plain", indexes: [], timeToLiveAttribute: undefined }),
  ]);
});

test.for([
  ["rate(1 minute)", 1],
  ["rate(15 minutes)", 15],
  ["rate(1 hour)", 60],
  ["rate(2 days)", 2880],
] as const)("%s is every %i minutes", ([ScheduleExpression, minutes]) => {
  const { schedules, functions } = plan({
    Role: role,
    Forward: forward,
    Schedule: withProperties(schedule, { ScheduleExpression, Name: "often", State: "ENABLED" }),
  });
  const arn = "arn:aws:events:us-east-1:000000000000:rule/often";
  expect(schedules).toEqual([
    { logicalId: "Schedule", arn, minutes, isEnabled: true, functionArns: [...functions.keys()] },
  ]);
});

const payload = (rest: object) => withProperties(rule, { TopicRulePayload: { Sql: "SELECT * FROM 'a'", ...rest } });

test.for([
  [
    "a resource type",
    { Table: { Type: "AWS::DynamoDB::GlobalTable" } },
    "ERR_RESOURCE_UNSUPPORTED",
    "Table is of type AWS::DynamoDB::GlobalTable",
  ],
  ["a custom resource", { Mine: { Type: "Custom::Mine" } }, "ERR_RESOURCE_UNSUPPORTED", "Mine is of type Custom::Mine"],
  ["a type that every object has", { Mine: { Type: "constructor" } }, "ERR_RESOURCE_UNSUPPORTED", "Mine is of type"],
  ["a condition", { Orders: { ...orders, Condition: "IsProd" } }, "ERR_PROPERTY_UNSUPPORTED", "Orders has a Condition"],
  [
    "a queue's property",
    { Orders: withProperties(orders, { DelaySeconds: 5 }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Orders has the property DelaySeconds",
  ],
  [
    "a FIFO queue",
    { Orders: withProperties(orders, { FifoQueue: true }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Orders has the property FifoQueue",
  ],
  [
    "a property inside",
    { Orders: withProperties(orders, { RedrivePolicy: { maxReceiveCount: 1, x: 1 } }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Orders.RedrivePolicy has the property x",
  ],
  [
    "a value out of range",
    { Orders: withProperties(orders, { VisibilityTimeout: 43_201 }) },
    "ERR_PROPERTY_INVALID",
    "Orders.VisibilityTimeout is 43201, not a whole number from 0 to 43200",
  ],
  [
    "a redrive without count",
    { Orders: withProperties(orders, { RedrivePolicy: { deadLetterTargetArn: "a" } }) },
    "ERR_PROPERTY_INVALID",
    "Orders.RedrivePolicy has no maxReceiveCount",
  ],
  [
    "an intrinsic",
    { Orders: withProperties(orders, { QueueName: { "Fn::If": [] } }) },
    "ERR_INTRINSIC_UNSUPPORTED",
    "Orders uses Fn::If",
  ],
  [
    "a reference to nothing",
    { Orders: withProperties(orders, { QueueName: { Ref: "Name" } }) },
    "ERR_REFERENCE",
    'Orders has {"Ref":"Name"}',
  ],
  [
    "a runtime",
    { Role: role, Forward: withProperties(forward, { Runtime: "python3.13" }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Forward.Runtime is python3.13",
  ],
  [
    "a code asset that is not there",
    { Role: role, Forward: withProperties(forward, { Code: { S3Key: "other.zip" } }) },
    "ERR_REFERENCE",
    "Forward has code other.zip",
  ],
  [
    "inline code",
    { Role: role, Forward: withProperties(forward, { Code: { ZipFile: "" } }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Forward.Code has the property ZipFile",
  ],
  [
    "a function with layers",
    { Role: role, Forward: withProperties(forward, { Layers: [] }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Forward has the property Layers",
  ],
  [
    "a batching window",
    {
      Orders: orders,
      Role: role,
      Forward: forward,
      Mapping: withProperties(mapping, { MaximumBatchingWindowInSeconds: 1 }),
    },
    "ERR_PROPERTY_UNSUPPORTED",
    "Mapping has the property MaximumBatchingWindowInSeconds",
  ],
  [
    "a batch over ten",
    { Orders: orders, Role: role, Forward: forward, Mapping: withProperties(mapping, { BatchSize: 11 }) },
    "ERR_PROPERTY_INVALID",
    "Mapping.BatchSize is 11",
  ],
  [
    "a response type",
    {
      Orders: orders,
      Role: role,
      Forward: forward,
      Mapping: withProperties(mapping, { FunctionResponseTypes: ["Other"] }),
    },
    "ERR_PROPERTY_UNSUPPORTED",
    'Mapping.FunctionResponseTypes has "Other"',
  ],
  [
    "a mapping to no function",
    { Orders: orders, Mapping: withProperties(mapping, { FunctionName: "other" }) },
    "ERR_REFERENCE",
    "Mapping names the function other",
  ],
  [
    "a destination of what succeeded",
    {
      Role: role,
      Forward: forward,
      Orders: orders,
      Events: withDestination({ OnSuccess: { Destination: { "Fn::GetAtt": ["Orders", "Arn"] } } }),
    },
    "ERR_PROPERTY_UNSUPPORTED",
    "Events.DestinationConfig has the property OnSuccess",
  ],
  ...["sns:us-east-1:0:topic", "lambda:us-east-1:0:function:f", "events:us-east-1:0:event-bus/b", "s3:::bucket"].map(
    (name) =>
      [
        `a failure destination arn:aws:${name}`,
        {
          Role: role,
          Forward: forward,
          Events: withDestination({ OnFailure: { Destination: `arn:aws:${name}` } }),
        },
        "ERR_PROPERTY_UNSUPPORTED",
        `Events.DestinationConfig.OnFailure is arn:aws:${name}, only a queue is performed`,
      ] as const,
  ),
  [
    "a dead-letter queue of a function",
    { Role: role, Forward: withProperties(forward, { DeadLetterConfig: {} }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Forward has the property DeadLetterConfig",
  ],
  [
    "a table with capacities",
    { Table: withProperties(table, { BillingMode: "PROVISIONED" }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Table.BillingMode is PROVISIONED",
  ],
  [
    "a table's stream",
    { Table: withProperties(table, { StreamSpecification: {} }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Table has the property StreamSpecification",
  ],
  [
    "a table's attribute type",
    { Table: withProperties(table, { AttributeDefinitions: [{ AttributeName: "id", AttributeType: "M" }] }) },
    "ERR_PROPERTY_INVALID",
    "Table.AttributeDefinitions[0].AttributeType is M",
  ],
  [
    "a table without a partition key",
    { Table: withProperties(table, { KeySchema: [{ AttributeName: "id", KeyType: "RANGE" }] }) },
    "ERR_PROPERTY_INVALID",
    "Table.KeySchema is not one HASH key",
  ],
  [
    "a cron expression",
    { Role: role, Forward: forward, Schedule: withProperties(schedule, { ScheduleExpression: "cron(0 12 * * ? *)" }) },
    "ERR_PROPERTY_UNSUPPORTED",
    "Schedule.ScheduleExpression is cron(0 12 * * ? *)",
  ],
  [
    "a rate in the wrong number, as on AWS",
    { Role: role, Forward: forward, Schedule: withProperties(schedule, { ScheduleExpression: "rate(1 minutes)" }) },
    "ERR_PROPERTY_INVALID",
    "Schedule.ScheduleExpression is rate(1 minutes)",
  ],
  [
    "a schedule of something else than a function",
    { Schedule: withProperties(schedule, { Targets: [{ Arn: "arn:other", Id: "a" }] }) },
    "ERR_REFERENCE",
    "Schedule names the function arn:other",
  ],
  [
    "a target's own event",
    {
      Role: role,
      Forward: forward,
      Schedule: withProperties(schedule, { Targets: [{ Arn: { Ref: "Forward" }, Id: "a", Input: "{}" }] }),
    },
    "ERR_PROPERTY_UNSUPPORTED",
    "Schedule.Targets[0] has the property Input",
  ],
  [
    "an event pattern",
    { Schedule: { Type: "AWS::Events::Rule", Properties: { EventPattern: {} } } },
    "ERR_PROPERTY_UNSUPPORTED",
    "Schedule has the property EventPattern",
  ],
  [
    "a rule without SQL",
    { Rule: withProperties(rule, { TopicRulePayload: { Actions: [] } }) },
    "ERR_PROPERTY_INVALID",
    "Rule.TopicRulePayload has no Sql",
  ],
  [
    "two kinds in one action",
    { Rule: payload({ Actions: [{ Sqs: {}, Lambda: {} }] }) },
    "ERR_PROPERTY_INVALID",
    "Rule.TopicRulePayload.Actions[0] is",
  ],
  [
    "eleven actions",
    { Rule: payload({ Actions: Array.from({ length: 11 }, () => ({ Sqs: {} })) }) },
    "ERR_PROPERTY_INVALID",
    "Rule has 11 actions, the limit is 10",
  ],
] as const)("%s is refused with the logical ID", ([, resources, code, message]) => {
  expect(() => plan(resources)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

test.for([
  ["Conditions", { Conditions: { IsProd: {} } }],
  ["Mappings", { Mappings: {} }],
  ["Transform", { Transform: "AWS::Serverless-2016-10-31" }],
  ["constructor", { constructor: {} }],
] as const)("the section %s is refused", ([section, sections]) => {
  expect(() => plan({}, sections)).toThrow(
    expect.objectContaining({ code: "ERR_SECTION_UNSUPPORTED", message: expect.stringContaining(`'${section}'`) }),
  );
});

test("sections and resources without an effect are passed over", () => {
  const log = { Type: "AWS::Logs::LogGroup", Properties: { RetentionInDays: 30 }, DeletionPolicy: "Delete" };
  const policy = { Type: "AWS::SQS::QueuePolicy", Properties: { PolicyDocument: { "Fn::Unknown": 1 } } };
  const sections = { Description: "text", Outputs: { Url: {} }, Rules: { CheckBootstrapVersion: {} } };
  const alarm = { Type: "AWS::CloudWatch::Alarm", Properties: { AlarmActions: [{ Ref: "Topic" }] } };
  const topic = { Type: "AWS::SNS::Topic" };
  const group = { Type: "AWS::EC2::SecurityGroup", Properties: { VpcId: "vpc-0a" } };
  const SecurityGroupIds = [{ "Fn::GetAtt": ["Group", "GroupId"] }];
  const inside = withProperties(forward, { VpcConfig: { SubnetIds: ["subnet-0a"], SecurityGroupIds } });
  const resources = { Log: log, Policy: policy, Orders: orders, Alarm: alarm, Topic: topic };
  const { queues, functions } = plan({ ...resources, Role: role, Group: group, Forward: inside }, sections);
  expect([queues.size, functions.size]).toEqual([1, 1]);
});

test("a parameter has its default, or the value that is given", () => {
  const Parameters = { ApiUrl: { Type: "String", Default: "https://api.example.com" } };
  const resources = { Orders: withProperties(orders, { QueueName: { Ref: "ApiUrl" } }) };
  const nameWith = (values: Record<string, string>) =>
    [...plan(resources, { Parameters }, values).queues.values()][0]?.name;
  expect(nameWith({})).toBe("https://api.example.com");
  expect(nameWith({ ApiUrl: "http://127.0.0.1:1" })).toBe("http://127.0.0.1:1");
  expect(() => nameWith({ ApiURL: "x" })).toThrow("there is no parameter ApiURL in the template of acme-test");
});

test("a parameter without a value is refused where it is used", () => {
  const resources = { Orders: withProperties(orders, { QueueName: { Ref: "Name" } }) };
  expect(() => plan(resources, { Parameters: { Name: { Type: "String" } } })).toThrow('Orders has {"Ref":"Name"}');
});

test("a folder without a synthesized template is refused", () => {
  const folder = temporaryFolder();
  expect(() => readAssembly(folder)).toThrow(
    expect.objectContaining({
      code: "ERR_TEMPLATE_UNREADABLE",
      message: `${join(folder, "manifest.json")} is not a synthesized template's; run cdk synth`,
    }),
  );
});

test("one stack of several has to be named", () => {
  const folder = join(temporaryFolder(), "cdk.out");
  mkdirSync(folder);
  const stack = (name: string) => ({ type: "aws:cloudformation:stack", properties: { templateFile: `${name}.json` } });
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ artifacts: { a: stack("a"), b: stack("b") } }));
  writeFileSync(join(folder, "b.json"), JSON.stringify({ Resources: {} }));
  writeFileSync(join(folder, "b.assets.json"), JSON.stringify({ files: {} }));
  expect(() => readAssembly(folder)).toThrow("holds a, b where one stack is wanted");
  expect(() => readAssembly(folder, "c")).toThrow("holds none where one stack is wanted");
  expect(readAssembly(folder, "b").stackName).toBe("b");
});
