import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { badInputs } from "../scheme/fixtures/bad-inputs.ts";
import { Engine, type EngineOptions, type IncomingMessage } from "./engine.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";
import { bundle, Output, temporaryFolder, writeAssembly } from "./testing.ts";

const print = "export const handler = async (event) => console.log(JSON.stringify(event));";

const queue = (rest: object = {}) => ({ Type: "AWS::SQS::Queue", Properties: rest });
const lambda = (rest: object = {}) => ({
  Type: "AWS::Lambda::Function",
  Properties: { Code: { S3Key: "code.zip" }, Handler: "index.handler", Runtime: "nodejs24.x", ...rest },
});
const mapping = (rest: object = {}) => ({
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: { EventSourceArn: { "Fn::GetAtt": ["Orders", "Arn"] }, FunctionName: { Ref: "Forward" }, ...rest },
});
const permission = {
  Type: "AWS::Lambda::Permission",
  Properties: {
    Action: "lambda:InvokeFunction",
    FunctionName: { Ref: "Forward" },
    Principal: "iot.amazonaws.com",
  },
};
const often = {
  Type: "AWS::Events::Rule",
  Properties: {
    ScheduleExpression: "rate(1 minute)",
    Targets: [{ Arn: { "Fn::GetAtt": ["Forward", "Arn"] }, Id: "Target0" }],
  },
};
const eventsPermission = {
  ...permission,
  Properties: {
    ...permission.Properties,
    Principal: "events.amazonaws.com",
    SourceArn: { "Fn::GetAtt": ["Often", "Arn"] },
  },
};
const toQueue = (name = "Orders") => ({ Sqs: { QueueUrl: { Ref: name } } });
const toFunction = { Lambda: { FunctionArn: { "Fn::GetAtt": ["Forward", "Arn"] } } };
const rule = (name: string, sql: string, actions: readonly object[], rest: object = {}) => ({
  Type: "AWS::IoT::TopicRule",
  Properties: {
    RuleName: name,
    TopicRulePayload: { Sql: sql, AwsIotSqlVersion: "2016-03-23", Actions: actions, ...rest },
  },
});
const all = "SELECT topic() AS topic, encode(*, 'base64') AS data FROM 'v1/+'";

interface Setting extends Partial<EngineOptions> {
  readonly code?: string;
}

/** Starts an engine of a template; `output` is what its functions print. */
async function start(resources: object, { code = print, ...rest }: Setting = {}) {
  const output = new Output();
  const plan = readPlan(readAssembly(writeAssembly({ Resources: resources }, { "code.zip": bundle(code) })));
  const engine = await Engine.start(plan, {
    dataFolder: temporaryFolder(),
    onOutput: (_, line) => output.add(line),
    ...rest,
  });
  return Object.assign(engine, { output });
}

function message(topic: string, text = "x"): IncomingMessage {
  return { topic, payload: Buffer.from(text) };
}

test("a message reaches a function directly", async () => {
  const resources = { Forward: lambda(), Permission: permission, Rule: rule("direct", all, [toFunction]) };
  await using engine = await start(resources);
  await engine.accept(message("v1/d42"));
  await engine.output.until((lines) => lines.length === 1);
  await engine.stop();
  expect(engine.output.lines).toEqual(['{"topic":"v1/d42","data":"eA=="}']);
  expect(engine.counts).toEqual({ received: 1, unrouted: 0, pending: 0, delivered: 1, failed: 0, dead: 0, lost: 0 });
});

test("a message reaches a function by way of a queue", async () => {
  const resources = {
    Orders: queue(),
    Forward: lambda(),
    Mapping: mapping(),
    Rule: rule("queued", all, [toQueue()]),
  };
  await using engine = await start(resources);
  await engine.accept(message("v1/d42"));
  await engine.output.until((lines) => lines.length === 1);
  await engine.stop();
  expect(JSON.parse(engine.output.lines[0] ?? "").Records).toMatchObject([
    { body: '{"topic":"v1/d42","data":"eA=="}' },
  ]);
  expect(engine.counts).toEqual({ received: 1, unrouted: 0, pending: 0, delivered: 1, failed: 0, dead: 0, lost: 0 });
});

test("an accepted message is in its queue after a restart", async () => {
  const dataFolder = temporaryFolder();
  const before = await start({ Orders: queue(), Rule: rule("queued", all, [toQueue()]) }, { dataFolder });
  for (const id of ["d1", "d2", "d3"]) await before.accept(message(`v1/${id}`));
  expect(before.counts.pending).toBe(3);
  await before[Symbol.asyncDispose]();
  const resources = { Orders: queue(), Forward: lambda(), Mapping: mapping({ BatchSize: 1 }) };
  await using engine = await start(resources, { dataFolder });
  await engine.output.until((lines) => lines.length === 3);
  await engine.stop();
  expect(engine.counts).toMatchObject({ received: 0, pending: 0, delivered: 3 });
});

test("messages that failed are counted as failed and, at last, as dead", async () => {
  const resources = {
    Dead: queue(),
    Orders: queue({
      VisibilityTimeout: 1,
      RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": "Dead.Arn" }, maxReceiveCount: 1 },
    }),
    Forward: lambda({ Timeout: 1 }),
    Mapping: mapping(),
    Rule: rule("queued", all, [toQueue()]),
  };
  await using engine = await start(resources, { code: "export const handler = () => { throw new Error('no') };" });
  await engine.accept(message("v1/d42"));
  await expect.poll(() => engine.counts, { timeout: 5000 }).toMatchObject({ failed: 1, dead: 1, pending: 0 });
});

test.for([
  ["v1/d42", ["one", "two"]],
  ["v2/d42", []],
  ["v1/d42/x", []], // one level
  ["$aws/rules/one/v1/d42", ["one"]],
  ["$aws/rules/one/anything/else", ["one"]], // FROM has no say in Basic Ingest
  ["$aws/rules/three/v1/d42", ["three"]], // a rule without FROM is reached by no other way
  ["$aws/rules/off/v1/d42", []], // disabled
  ["$aws/rules/none/v1/d42", []],
  ["$aws/rules/one", []],
  ["$aws/rules/constructor/x", []],
] as const)("the topic %s triggers %j", async ([topic, names]) => {
  const select = (name: string) => `SELECT '${name}' AS rule, topic() AS topic`;
  const resources = {
    One: queue({ QueueName: "one" }),
    RuleOne: rule("one", `${select("one")} FROM 'v1/+'`, [toQueue("One")]),
    RuleTwo: rule("two", `${select("two")} FROM 'v1/d42'`, [toQueue("One")]),
    RuleThree: rule("three", select("three"), [toQueue("One")]),
    RuleOff: rule("off", `${select("off")} FROM 'v1/+'`, [toQueue("One")], { RuleDisabled: true }),
  };
  await using engine = await start(resources);
  await engine.accept(message(topic));
  expect(engine.counts).toMatchObject({ pending: names.length, unrouted: names.length === 0 ? 1 : 0 });
});

test("behind Basic Ingest a rule sees the topic without its prefix", async () => {
  const resources = { Forward: lambda(), Permission: permission, Rule: rule("direct", all, [toFunction]) };
  await using engine = await start(resources);
  await engine.accept(message("$aws/rules/direct/v1/d42"));
  await engine.output.until((lines) => lines.length === 1);
  expect(engine.output.lines).toEqual(['{"topic":"v1/d42","data":"eA=="}']);
});

test.for([
  [["v1/+"], 2],
  [["v1/d42"], 1],
  [["v1/+", "v1/d42"], 3],
  [undefined, 3],
] as const)("a message that the broker sends for %j runs %i rules", async ([filters, count]) => {
  const resources = {
    Orders: queue(),
    One: rule("one", "SELECT * FROM 'v1/+'", [toQueue()]),
    Two: rule("two", "SELECT * FROM 'v1/+'", [toQueue()]),
    Three: rule("three", "SELECT * FROM 'v1/d42'", [toQueue()]),
  };
  await using engine = await start(resources);
  await engine.accept(message("v1/d42"), undefined, filters);
  expect(engine.counts.pending).toBe(count);
});

test("a rule without FROM hands a message to a function with the client that published it", async () => {
  const sql = "SELECT encode(*, 'base64') AS frame, clientid() AS broker";
  const resources = { Forward: lambda(), Permission: permission, Rule: rule("frames", sql, [toFunction]) };
  await using engine = await start(resources);
  await engine.accept({ ...message("$aws/rules/frames/frames", "TF\u0001"), clientId: "relay" });
  await engine.accept(message("$aws/rules/frames/frames", "TF\u0001"));
  await engine.accept(message("frames"));
  await engine.output.until((lines) => lines.length === 2);
  // Mosquitto does not say who publishes.
  expect(engine.output.lines).toEqual(['{"frame":"VEYB","broker":"relay"}', '{"frame":"VEYB","broker":"n/a"}']);
  expect(engine.counts).toMatchObject({ received: 3, unrouted: 1 });
});

test("the broker is asked for the rules' topics and for their Basic Ingest topics", async () => {
  const resources = {
    Orders: queue(),
    One: rule("one", "SELECT * FROM 'v1/+'", [toQueue()]),
    Two: rule("two", "SELECT 1 AS one", [toQueue()]),
    Three: rule("three", "SELECT * FROM 'v1/+'", [toQueue()]),
    Off: rule("off", "SELECT * FROM 'off'", [toQueue()], { RuleDisabled: true }),
  };
  await using engine = await start(resources);
  expect(engine.topicFilters).toEqual(["$aws/rules/one/#", "v1/+", "$aws/rules/two/#", "$aws/rules/three/#"]);
});

test("a message that one of its rules could not hand over is not accepted", async () => {
  const small = queue({ MaximumMessageSize: 1024 });
  const resources = {
    Orders: queue(),
    Small: small,
    One: rule("one", "SELECT * FROM 'v1/+'", [toQueue()]),
    Two: rule("two", "SELECT * FROM 'v1/+'", [toQueue("Small")]),
  };
  await using engine = await start(resources);
  await expect(engine.accept(message("v1/d42", "x".repeat(2000)))).rejects.toThrow("two: InvalidParameterValue");
});

test("a destination that is no queue of the template is refused", async () => {
  const resources = {
    Forward: lambda(),
    Events: {
      Type: "AWS::Lambda::EventInvokeConfig",
      Properties: {
        FunctionName: { Ref: "Forward" },
        DestinationConfig: { OnFailure: { Destination: "arn:aws:sqs:us-east-1:000000000000:other" } },
      },
    },
  };
  await expect(start(resources)).rejects.toThrow(
    "Events.DestinationConfig.OnFailure names arn:aws:sqs:us-east-1:000000000000:other, no queue of the template",
  );
});

test("a function has Lambda's variables, the services' and its own", async () => {
  const code = "export const handler = async () => console.log(JSON.stringify(process.env));";
  const resources = {
    Forward: lambda({ FunctionName: "forward", Environment: { Variables: { API_URL: "http://127.0.0.1:1" } } }),
    Permission: permission,
    Rule: rule("direct", all, [toFunction]),
  };
  await using engine = await start(resources, { code });
  await engine.accept(message("v1/d42"));
  await engine.output.until((lines) => lines.length === 1);
  const environment = JSON.parse(engine.output.lines[0] ?? "");
  expect(environment).toMatchObject({
    API_URL: "http://127.0.0.1:1",
    ...engine.services.environment,
    AWS_LAMBDA_FUNCTION_NAME: "forward",
    AWS_REGION: "us-east-1",
  });
  expect(environment.PATH).toBeUndefined();
});

test("a schedule invokes its function at once and every so many minutes", async () => {
  const resources = { Forward: lambda(), Permission: eventsPermission, Often: often };
  await using engine = await start(resources, { minuteMs: 20 });
  await engine.output.until((lines) => lines.length === 3);
  expect(JSON.parse(engine.output.lines[0] ?? "")).toMatchObject({
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: "000000000000",
    region: "us-east-1",
    resources: ["arn:aws:events:us-east-1:000000000000:rule/acme-test-Often"],
  });
  // No message of a device.
  expect(engine.counts).toMatchObject({ received: 0, delivered: 0 });
});

test("a queue and a schedule of one function that reserves one invocation do not overlap", async () => {
  const code = `
    // One clock for all threads: their time origins may be some milliseconds apart.
    const now = () => Number(process.hrtime.bigint()) / 1e6;
    export const handler = async ({ Records }) => {
      const begin = now();
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log(JSON.stringify({ isQueued: Records !== undefined, begin, end: now() }));
    };`;
  const resources = {
    Orders: queue(),
    Forward: lambda({ ReservedConcurrentExecutions: 1 }),
    Mapping: mapping({ BatchSize: 1 }),
    Permission: eventsPermission,
    Often: often,
    Rule: rule("queued", all, [toQueue()]),
  };
  await using engine = await start(resources, { code, minuteMs: 10 });
  const read = (line: string): { isQueued: boolean; begin: number; end: number } => JSON.parse(line);
  // The schedule's environment starts when it is first needed.
  await engine.output.until((lines) => lines.some((line) => !read(line).isQueued));
  for (let count = 0; count < 10; count++) await engine.accept(message("v1/d42"));
  await engine.output.until((lines) => lines.filter((line) => read(line).isQueued).length === 10);
  const spans = engine.output.lines.map(read).toSorted((one, other) => one.begin - other.begin);
  for (const [index, { begin }] of spans.entries()) expect(begin).toBeGreaterThanOrEqual(spans[index - 1]?.end ?? 0);
  expect(spans.filter(({ isQueued }) => !isQueued).length).toBeGreaterThan(5);
});

test("a function asks the services of the engine that runs it", async () => {
  const code = `
    const ask = async (url, target, body) => {
      const headers = { "x-amz-target": target };
      return (await fetch(url, target && { method: "POST", headers, body: JSON.stringify(body) })).json();
    };
    export const handler = async (event) => {
      const { AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL_SECRETS_MANAGER, QUEUE } = process.env;
      const body = { QueueUrl: QUEUE, AttributeNames: ["QueueArn"] };
      console.log(JSON.stringify([
        await ask(AWS_ENDPOINT_URL_SQS, "AmazonSQS.GetQueueAttributes", body),
        await ask(AWS_ENDPOINT_URL_LAMBDA + "/2015-03-31/event-source-mappings/" + process.env.MAPPING),
        await ask(AWS_ENDPOINT_URL_SECRETS_MANAGER, "secretsmanager.GetSecretValue", { SecretId: "key" }),
      ]));
    };`;
  const resources = {
    Orders: queue(),
    Forward: lambda({ Environment: { Variables: { QUEUE: { Ref: "Orders" }, MAPPING: { Ref: "Mapping" } } } }),
    Worker: lambda(),
    Mapping: mapping({ FunctionName: { Ref: "Worker" }, Enabled: false }),
    Permission: permission,
    Rule: rule("direct", all, [toFunction]),
  };
  await using engine = await start(resources, { code, secrets: (name) => `the value of ${name}` });
  await engine.accept(message("v1/d42"));
  await engine.output.until((lines) => lines.length === 1);
  expect(JSON.parse(engine.output.lines[0] ?? "")).toMatchObject([
    { Attributes: { QueueArn: "arn:aws:sqs:us-east-1:000000000000:acme-test-Orders" } },
    { State: "Disabled" },
    { SecretString: "the value of key" },
  ]);
});

test("a function finds the template's tables, and what it wrote after a restart", async () => {
  const code = `
    const ask = async (operation, input) => {
      const headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810." + operation,
        "x-amz-date": "20260101T000000Z",
        authorization: "AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local",
      };
      const { AWS_ENDPOINT_URL_DYNAMODB, TABLE } = process.env;
      const body = JSON.stringify({ TableName: TABLE, ...input });
      return (await fetch(AWS_ENDPOINT_URL_DYNAMODB, { method: "POST", headers, body })).json();
    };
    export const handler = async ({ topic }) => {
      const [, id] = topic.split("/");
      await ask("PutItem", { Item: { id: { S: id } } });
      const { Items } = await ask("Scan", {});
      console.log(Items.map((item) => item.id.S).sort().join());
    };`;
  const table = {
    Type: "AWS::DynamoDB::Table",
    Properties: {
      TableName: "devices",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    },
  };
  const resources = {
    Table: table,
    Forward: lambda({ Environment: { Variables: { TABLE: { Ref: "Table" } } } }),
    Permission: permission,
    Rule: rule("direct", all, [toFunction]),
  };
  const dataFolder = temporaryFolder();
  const before = await start(resources, { code, dataFolder });
  await before.accept(message("v1/d1"));
  await before.output.until((lines) => lines.includes("d1"));
  await before[Symbol.asyncDispose]();
  await using engine = await start(resources, { code, dataFolder });
  await engine.accept(message("v1/d2"));
  await engine.output.until((lines) => lines.includes("d1,d2"));
});

test("a function's reserved concurrency bounds its queue too", async () => {
  const code = `
    export const handler = async () => {
      // One clock for all threads: their time origins may be some milliseconds apart.
      const now = () => Number(process.hrtime.bigint()) / 1e6;
      const begin = now();
      await new Promise((resolve) => setTimeout(resolve, 60));
      console.log(JSON.stringify([begin, now()]));
    };`;
  const resources = {
    Orders: queue(),
    Forward: lambda({ ReservedConcurrentExecutions: 1 }),
    Mapping: mapping({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 5 } }),
    Rule: rule("queued", all, [toQueue()]),
  };
  await using engine = await start(resources, { code });
  for (let count = 0; count < 4; count++) await engine.accept(message("v1/d42"));
  await engine.output.until((lines) => lines.length === 4);
  const spans = engine.output.lines.map((line): [number, number] => JSON.parse(line)).toSorted(([a], [b]) => a - b);
  for (const [index, [begin]] of spans.entries()) expect(begin).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? 0);
});

test.for(badInputs("rule.sql").filter(({ id }) => id === "sql-15"))(
  "bad input $id: a rule whose output may match its own FROM is refused when the template is loaded",
  async ({ input: { sql, republish }, expect: { code } }) => {
    const resources = { Loop: rule("loop", String(sql), [{ Republish: { Topic: republish } }]) };
    await expect(start(resources)).rejects.toMatchObject({
      code,
      message: "Loop may be triggered by what it republishes: Loop to Loop",
    });
  },
);

test.for([
  [
    "a rule's SQL, when a function runs already",
    {
      Forward: lambda(),
      Permission: permission,
      First: rule("first", all, [toFunction]),
      Second: rule("second", "SELECT", []),
    },
    "ERR_SQL",
    "Second: ",
  ],
  [
    "a function without a permission for the rule",
    { Forward: lambda(), Rule: rule("direct", all, [toFunction]) },
    "ERR_PERMISSION_MISSING",
    "Rule.TopicRulePayload.Actions[0].Lambda invokes",
  ],
  [
    "a function without a permission for the schedule",
    { Forward: lambda(), Permission: permission, Often: often },
    "ERR_PERMISSION_MISSING",
    "Often invokes",
  ],
  [
    "code that does not load",
    { Forward: lambda({ Handler: "index.other" }), Permission: permission, Rule: rule("direct", all, [toFunction]) },
    "ERR_FUNCTION",
    "acme-test-Forward does not start: Error: ",
  ],
  [
    "a mapping of a queue that is elsewhere",
    { Forward: lambda(), Mapping: mapping({ EventSourceArn: "arn:other" }) },
    "ERR_REFERENCE",
    "Mapping names arn:other, no queue of the template",
  ],
  [
    "a dead-letter queue that is elsewhere",
    { Orders: queue({ RedrivePolicy: { deadLetterTargetArn: "arn:other", maxReceiveCount: 1 } }) },
    "ERR_REFERENCE",
    "Orders names arn:other, no queue of the template",
  ],
  [
    "a visibility timeout below the function's time limit, as AWS does",
    { Orders: queue({ VisibilityTimeout: 5 }), Forward: lambda({ Timeout: 6 }), Mapping: mapping() },
    "ERR_PROPERTY_INVALID",
    "Mapping: the visibility timeout of acme-test-Orders, 5 s is less than the function's time limit of 6 s",
  ],
  [
    "two mappings of one queue",
    { Orders: queue(), Forward: lambda(), Mapping: mapping(), Other: mapping() },
    "ERR_PROPERTY_UNSUPPORTED",
    "Other reads acme-test-Orders, as Mapping does",
  ],
] as const)("%s is refused, and nothing is left behind", async ([, resources, code, text]) => {
  const dataFolder = temporaryFolder();
  await expect(start(resources, { dataFolder })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(text),
  });
  await using engine = await start({ Orders: queue() }, { dataFolder });
  expect(engine.counts.received).toBe(0);
});

test("a second engine on the same folder is refused", async () => {
  const dataFolder = temporaryFolder();
  await using _ = await start({ Orders: queue() }, { dataFolder });
  await expect(start({ Orders: queue() }, { dataFolder })).rejects.toMatchObject({ code: "ERR_DATA_IN_USE" });
});

test("an engine that is ended twice has ended once, with everything on disk", async () => {
  const dataFolder = temporaryFolder();
  const resources = { Orders: queue(), Rule: rule("queued", all, [toQueue()]) };
  const engine = await start(resources, { dataFolder });
  await engine.accept(message("v1/d42"));
  await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()]);
  await engine[Symbol.asyncDispose]();
  await using later = await start(resources, { dataFolder });
  expect(later.counts.pending).toBe(1);
});

test("stop lets what runs end and begins nothing more", async () => {
  const folder = temporaryFolder();
  const gate = join(folder, "gate");
  const code = `
    import { existsSync, watch } from "node:fs";
    export const handler = async () => {
      console.log("begin");
      await new Promise((resolve) => {
        const look = () => existsSync(${JSON.stringify(gate)}) && resolve();
        watch(${JSON.stringify(folder)}, look);
        look();
      });
    };`;
  const resources = {
    Orders: queue(),
    Forward: lambda({ ReservedConcurrentExecutions: 1 }),
    Mapping: mapping({ BatchSize: 1 }),
    Rule: rule("queued", all, [toQueue()]),
  };
  await using engine = await start(resources, { code });
  await engine.accept(message("v1/d1"));
  await engine.output.until((lines) => lines.length === 1);
  await engine.accept(message("v1/d2"));
  const stopped = engine.stop();
  writeFileSync(gate, "");
  await stopped;
  expect(engine.counts).toMatchObject({ delivered: 1, pending: 1, failed: 0 });
  expect(engine.output.lines).toEqual(["begin"]);
});
