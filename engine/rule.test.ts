import { expect, onTestFinished, test } from "vitest";
import { badInputs } from "../scheme/fixtures/bad-inputs.ts";
import { createMessage } from "../sql/testing.ts";
import type { ActionTargets } from "./actions/action.ts";
import { Rule } from "./rule.ts";
import { type EventTarget, TooManyEvents } from "./services/asynchronous-events.ts";
import type { MessageBroker, OutgoingMessage } from "./services/message-broker.ts";
import { Queue, type SendOptions } from "./services/queue.ts";
import { QueueStore } from "./services/queue-store.ts";
import type { ActionPlan, Plan, RulePlan } from "./template/plan.ts";
import { temporaryFolder } from "./testing.ts";

const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:forward";
const permission = { functionArn, principal: "iot.amazonaws.com", sourceArn: undefined };
const rulePlan: RulePlan = {
  logicalId: "Rule",
  name: "acme_orders",
  arn: "arn:aws:iot:us-east-1:000000000000:rule/acme_orders",
  sql: "SELECT * FROM 'a/+'",
  sqlVersion: "2016-03-23",
  isDisabled: false,
  actions: [],
  errorAction: undefined,
};

const messageId = "00000000-0000-4000-8000-000000000000";

/** Two queues, `orders` and `dead`, and a function whose events are kept. */
function createTargets(
  maximumMessageBytes = 262_144,
  permissions: Plan["permissions"] = [permission],
  maximumBytes?: number,
) {
  const store = new QueueStore(temporaryFolder(), maximumBytes);
  onTestFinished(() => store[Symbol.dispose]());
  const queue = (name: string, bytes: number) =>
    new Queue(
      {
        name,
        arn: name,
        visibilityTimeoutMs: 30_000,
        retentionMs: 86_400_000,
        maximumMessageBytes: bytes,
        redrive: undefined,
        account: name === "orders" ? rulePlan.name : undefined,
      },
      store,
    );
  const orders = queue("orders", maximumMessageBytes);
  const dead = queue("dead", 1_048_576);
  const events: string[] = [];
  const target: EventTarget = {
    accept: (json, { requestId } = {}) => {
      expect(requestId).toBe(messageId);
      if (json === '"too many"') throw new TooManyEvents();
      events.push(json);
      return undefined;
    },
  };
  const targets: ActionTargets = {
    plan: { permissions } as Plan,
    queues: new Map([
      ["https://sqs/orders", orders],
      ["https://sqs/dead", dead],
    ]),
    events: (arn) => (arn === functionArn ? target : undefined),
    messageBroker: () => undefined,
    count: (entry) => store.count(entry),
  };
  const read = (from: Queue) => from.receive(10).map(({ body }) => body);
  /** What is not zero of the rule's line. */
  const ledger = () => {
    store.flush();
    const line = store.readLedger().find(({ account }) => account === rulePlan.name);
    return Object.fromEntries(Object.entries(line ?? {}).filter(([, value]) => typeof value === "number" && value > 0));
  };
  return { targets, events, orders: () => read(orders), dead: () => read(dead), ledger };
}

function action(kind: string, properties: unknown): ActionPlan {
  return { kind, properties, at: `Rule.TopicRulePayload.Actions[0].${kind}` };
}

const toOrders = action("Sqs", { QueueUrl: "https://sqs/orders", RoleArn: "arn", UseBase64: false });
const toOrdersInBase64 = action("Sqs", { QueueUrl: "https://sqs/orders", UseBase64: true });
const toDead = action("Sqs", { QueueUrl: "https://sqs/dead" });
const toFunction = action("Lambda", { FunctionArn: functionArn });

const bytes = Buffer.from([0xff, 0x00]);

test.for([
  ["JSON that the SQL made", "SELECT v, topic() AS t FROM 'a/+'", toOrders, { v: 1 }, '{"v":1,"t":"a/b"}'],
  ["the payload as it came", "SELECT * FROM 'a/+'", toOrders, '{ "v": 1.0 }', '{ "v": 1.0 }'],
  ["text", "SELECT VALUE v FROM 'a/+'", toOrders, { v: "é" }, '"é"'],
  ["base64 of JSON", "SELECT v FROM 'a/+'", toOrdersInBase64, { v: 1 }, btoa('{"v":1}')],
  ["base64 of bytes", "SELECT * FROM 'a/+'", toOrdersInBase64, bytes, bytes.toString("base64")],
] as const)("the SQS action sends %s", async ([, sql, plan, payload, body]) => {
  const { targets, orders } = createTargets();
  await new Rule({ ...rulePlan, sql, actions: [plan] }, targets).run(createMessage(payload), messageId, true);
  expect(orders()).toEqual([body]);
});

test.for([
  ["JSON that the SQL made", "SELECT v FROM 'a/+'", { v: 1 }, '{"v":1}'],
  ["JSON as it came", "SELECT * FROM 'a/+'", '{ "v": 1.0 }', '{ "v": 1.0 }'],
] as const)("the Lambda action hands over %s", async ([, sql, payload, event]) => {
  const { targets, events } = createTargets();
  await new Rule({ ...rulePlan, sql, actions: [toFunction] }, targets).run(createMessage(payload), messageId, true);
  expect(events).toEqual([event]);
});

test.for([
  ["WHERE that is not true", "SELECT * FROM 'a/+' WHERE v = 2"],
  ["a value that is Undefined", "SELECT VALUE w FROM 'a/+'"],
] as const)("%s runs no action", async ([, sql]) => {
  const { targets, orders, dead } = createTargets();
  const rule = new Rule({ ...rulePlan, sql, actions: [toOrders], errorAction: toDead }, targets);
  await rule.run(createMessage({ v: 1 }), messageId, true);
  expect([...orders(), ...dead()]).toEqual([]);
  expect(rule.counts).toEqual({ matched: 0, failed: 0, dead: 0, lost: 0 });
});

// https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html
test("failed actions run the error action once, with all failures", async () => {
  const { targets, orders, events, dead } = createTargets();
  const actions = [toOrders, toFunction, toOrdersInBase64];
  const rule = new Rule({ ...rulePlan, actions, errorAction: toDead }, targets);
  await rule.run(createMessage(bytes, { clientId: "d42" }), messageId, true);
  expect(orders()).toEqual([bytes.toString("base64")]);
  expect(events).toEqual([]);
  const [report, another] = dead();
  expect(another).toBeUndefined();
  expect(JSON.parse(report ?? "")).toEqual({
    ruleName: "acme_orders",
    topic: "a/b",
    cloudwatchTraceId: createMessage().traceId,
    clientId: "d42",
    base64OriginalPayload: bytes.toString("base64"),
    failures: [
      {
        failedAction: "SqsAction",
        failedResource: "https://sqs/orders",
        errorMessage: "InvalidMessageContents: the message has characters that SQS does not take",
      },
      {
        failedAction: "LambdaAction",
        failedResource: functionArn,
        errorMessage: "the payload is not JSON; SELECT encode(*, 'base64') AS data",
      },
    ],
  });
  expect(rule.counts).toEqual({ matched: 1, failed: 1, dead: 1, lost: 0 });
});

test.for([
  ["a NUL", "\0"],
  ["a control character", "\u0001"],
  ["U+FFFE", "\ufffe"],
  ["U+FFFF", "\uffff"],
] as const)("SQS does not take %s", async ([, text]) => {
  const { targets, orders, dead } = createTargets();
  const rule = new Rule({ ...rulePlan, actions: [toOrders], errorAction: toDead }, targets);
  await rule.run(createMessage(Buffer.from(text)), messageId, true);
  expect(orders()).toEqual([]);
  expect(dead()).toHaveLength(1);
});

test("a message that is too large goes to the error action", async () => {
  const { targets, dead } = createTargets(1024);
  const rule = new Rule({ ...rulePlan, actions: [toOrders], errorAction: toDead }, targets);
  await rule.run(createMessage("x".repeat(1025)), messageId, true);
  expect(dead()).toEqual([expect.stringContaining("orders takes messages of 1024 bytes, not 1025")]);
});

test("bad input sql-03: an output that multiplies its message goes to the error action", async () => {
  const { targets, orders, dead } = createTargets(1_048_576);
  const sql = String(badInputs("rule.sql").find(({ id }) => id === "sql-03")?.input.sql);
  const rule = new Rule({ ...rulePlan, sql, actions: [toOrders], errorAction: toDead }, targets);
  await rule.run(createMessage({ x: "x".repeat(100_000) }), messageId, true);
  expect(orders()).toEqual([]);
  expect(dead()).toEqual([expect.stringContaining("RULE_OUTPUT_TOO_LARGE: the output has 800008 bytes")]);
});

test.for(badInputs("rule.sql").filter(({ id }) => id === "sql-14"))(
  "bad input $id: a topic that a device has chosen goes to the error action, and nothing is published",
  async ({ input: { sql, republish, payload }, expect: { code } }) => {
    const published: OutgoingMessage[] = [];
    const broker = { publish: async (message: OutgoingMessage) => void published.push(message) } as MessageBroker;
    const { targets, dead } = createTargets();
    const actions = [action("Republish", { Topic: republish, RoleArn: "arn" })];
    const plan = { ...rulePlan, sql: String(sql), actions, errorAction: toDead };
    const rule = new Rule(plan, { ...targets, messageBroker: () => broker });
    await rule.run(createMessage(payload, { topic: "up/d42" }), messageId, true);
    expect(published).toEqual([]);
    const [report = ""] = dead();
    expect(JSON.parse(report).failures).toEqual([
      {
        failedAction: "RepublishAction",
        failedResource: republish,
        errorMessage: expect.stringMatching(new RegExp(`^${code}: "\\+/#" is no part of a topic level`)),
      },
    ]);
  },
);

test("what cannot be published goes to the error action", async () => {
  const { targets, dead, ledger } = createTargets();
  const actions = [action("Republish", { Topic: "down" })];
  await new Rule({ ...rulePlan, actions, errorAction: toDead }, targets).run(createMessage("x"), messageId, true);
  expect(dead()).toEqual([expect.stringContaining("the engine is not connected to its broker")]);
  expect(ledger()).toEqual({ received: 1, dead: 1 });
});

test.for([
  ["without an error action", undefined],
  ["of the error action too", toOrders],
] as const)("a message that is refused, %s, is lost, as on AWS", async ([, errorAction]) => {
  const { targets } = createTargets(1024);
  const rule = new Rule({ ...rulePlan, actions: [toOrders], errorAction }, targets);
  await expect(rule.run(createMessage("x".repeat(1025)), messageId, true)).rejects.toMatchObject({
    message: expect.stringContaining("acme_orders: InvalidParameterValue: orders takes messages of 1024 bytes"),
    isRetryable: false,
  });
  expect(rule.counts).toEqual({ matched: 1, failed: 1, dead: 0, lost: 1 });
});

test("a message that cannot be written is the sender's to keep", async () => {
  const { targets } = createTargets(1_048_576, [permission], 256 * 1024);
  const rule = new Rule({ ...rulePlan, actions: [toOrders], errorAction: toDead }, targets);
  await expect(rule.run(createMessage("x".repeat(300_000)), messageId, true)).rejects.toMatchObject({
    isRetryable: true,
  });
  expect(rule.counts).toEqual({ matched: 1, failed: 1, dead: 0, lost: 0 });
});

test.for([
  ["that a queue has", { actions: [toOrders] }, "x", true, { received: 1, pending: 1 }],
  ["that two of its actions sent", { actions: [toOrders, toOrdersInBase64] }, "x", true, { received: 2, pending: 2 }],
  [
    "that its WHERE does not select",
    { sql: "SELECT * FROM 'a/+' WHERE v = 2" },
    "{}",
    true,
    { received: 1, filtered: 1 },
  ],
  ["that the error action has", { errorAction: toDead }, "\0", true, { received: 1, dead: 1 }],
  ["that nobody has", {}, "\0", true, { received: 1, lost: 1 }],
  ["of QoS 0 for which there is no room", { actions: [toFunction] }, '"too many"', false, { received: 1, dropped: 1 }],
  ["of QoS 0 that cannot be written", {}, "x".repeat(300_000), false, { received: 1, dropped: 1 }],
  ["that cannot be written and comes again", {}, "x".repeat(300_000), true, {}],
] as const)("the ledger counts a message %s", async ([, rest, text, comesAgain, line]) => {
  const { targets, ledger } = createTargets(1_048_576, [permission], 256 * 1024);
  const rule = new Rule({ ...rulePlan, actions: [toOrders], ...rest }, targets);
  await rule.run(createMessage(Buffer.from(text)), messageId, comesAgain).catch(() => {});
  expect(ledger()).toEqual(line);
});

test("a rule's queues get the id that they are told, another one for each action", async () => {
  const { targets } = createTargets();
  const sent: (string | undefined)[] = [];
  const orders = { send: async (_: string, options: SendOptions) => sent.push(options.messageId) } as unknown as Queue;
  const queues = new Map([["https://sqs/orders", orders]]);
  const run = (actions: readonly ActionPlan[]) =>
    new Rule({ ...rulePlan, actions }, { ...targets, queues }).run(createMessage("x"), messageId, true);
  await run([toOrders]);
  await run([toOrders, toOrders]);
  await run([toOrders, toOrders]);
  const [only, first, second, ...again] = sent;
  expect(only).toBe(messageId);
  expect(new Set([only, first, second]).size).toBe(3);
  expect(again).toEqual([first, second]);
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test.for([
  ["SQL that does not parse", { sql: "SELECT * FROM" }, "ERR_SQL", "Rule: "],
  ["a function that is not there", { sql: "SELECT nosuch(x) FROM 'a'" }, "ERR_SQL", "Rule: "],
  ["a version of the SQL", { sqlVersion: "beta" }, "ERR_SQL", "Rule: there is no SQL version beta"],
  [
    "an action",
    { actions: [action("S3", {})] },
    "ERR_ACTION_UNSUPPORTED",
    "Rule.TopicRulePayload.Actions[0].S3 is an action of kind S3; performed are Lambda, Republish, Sqs",
  ],
  ["an action that every object has", { actions: [action("toString", {})] }, "ERR_ACTION_UNSUPPORTED", "toString"],
  [
    "an action's property",
    { actions: [action("Lambda", { FunctionArn: functionArn, Batch: true })] },
    "ERR_PROPERTY_UNSUPPORTED",
    "Lambda has the property Batch",
  ],
  [
    "a queue that is not there",
    { actions: [action("Sqs", { QueueUrl: "https://sqs/none" })] },
    "ERR_REFERENCE",
    "sends to https://sqs/none",
  ],
  ["no queue", { actions: [action("Sqs", {})] }, "ERR_PROPERTY_INVALID", "Sqs has no QueueUrl"],
  [
    "a target that is not there",
    { actions: [action("Lambda", { FunctionArn: "arn:none" })] },
    "ERR_REFERENCE",
    "invokes arn:none",
  ],
  ["an error action", { errorAction: action("Http", {}) }, "ERR_ACTION_UNSUPPORTED", "of kind Http"],
] as const)("%s is refused, naming the logical ID", ([, rest, code, message]) => {
  const { targets } = createTargets();
  expect(() => new Rule({ ...rulePlan, ...rest }, targets)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

test.for([
  ["none", [], false],
  ["one for any rule", [permission], true],
  ["its own", [{ ...permission, sourceArn: rulePlan.arn }], true],
  ["another rule's", [{ ...permission, sourceArn: `${rulePlan.arn}2` }], false],
  ["another service's", [{ ...permission, principal: "sqs.amazonaws.com" }], false],
  ["another function's", [{ ...permission, functionArn: `${functionArn}2` }], false],
] as const)("with the permission %s a rule may invoke its function: %s", ([, permissions, isPermitted]) => {
  const { targets } = createTargets(1024, permissions);
  const make = () => new Rule({ ...rulePlan, actions: [toFunction] }, targets);
  if (isPermitted) expect(make).not.toThrow();
  else expect(make).toThrow(expect.objectContaining({ code: "ERR_PERMISSION_MISSING" }));
});
