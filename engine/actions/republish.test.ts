// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are substitution templates
import { expect, test } from "vitest";
import type { Message } from "../../sql/message.ts";
import { createMessage } from "../../sql/testing.ts";
import type { LedgerEntry } from "../services/ledger.ts";
import { BrokerFailure, type MessageBroker, type OutgoingMessage } from "../services/message-broker.ts";
import type { Plan, RulePlan } from "../template/plan.ts";
import type { ActionRule, ActionTargets, RuleOutput } from "./action.ts";
import { republishAction } from "./republish.ts";

const rule: ActionRule = {
  logicalId: "Rule",
  name: "up",
  arn: "arn:aws:iot:us-east-1:000000000000:rule/up",
  sql: "SET @id = id SELECT * FROM 'a/+'",
  sqlVersion: "2016-03-23",
  isDisabled: false,
  actions: [],
  errorAction: undefined,
  variables: ["id"],
};

/** An action in front of a broker that keeps what is published. */
function create(properties: object, publish: MessageBroker["publish"] = async () => {}) {
  const published: OutgoingMessage[] = [];
  const counted: LedgerEntry[] = [];
  const broker = {
    publish: async (message: OutgoingMessage) => {
      await publish(message);
      published.push(message);
    },
  } as MessageBroker;
  const targets = {
    plan: { rules: [rule, { ...rule, name: "other" } satisfies RulePlan] } as unknown as Plan,
    messageBroker: () => broker,
    count: (entry: LedgerEntry) => counted.push(entry),
  } as unknown as ActionTargets;
  const action = republishAction(properties, "Rule.Republish", rule, targets);
  const run = async (message: Message, output?: RuleOutput, isReport = false) => {
    const context = { messageId: "m1", isReport, message, variables: ["d7"] };
    await action.run(output ?? { kind: "raw", bytes: message.payload }, context);
  };
  return { action, run, published, counted };
}

test("a message is published as it came, without RETAIN", async () => {
  const { action, run, published, counted } = create({ Topic: "down", RoleArn: "arn" });
  await run(createMessage('{ "v": 1.0 }'));
  expect(published).toEqual([
    {
      topic: "down",
      payload: Buffer.from('{ "v": 1.0 }'),
      qos: 0,
      isRetained: false,
      properties: { mqtt: {}, user: [], messageExpirySeconds: undefined },
    },
  ]);
  expect(action).toMatchObject({ name: "RepublishAction", resource: "down" });
  expect(counted).toEqual([{ account: "up", amounts: { received: 1, delivered: 1 } }]);
});

test.for([
  [undefined, 0],
  [0, 0],
  ["1", 1],
  [1, 1],
] as const)("QoS %j is %i", async ([Qos, qos]) => {
  const { run, published } = create({ Topic: "down", ...(Qos === undefined ? {} : { Qos }) });
  await run(createMessage());
  expect(published).toMatchObject([{ qos }]);
});

test("what the SQL selected is published as JSON", async () => {
  const { run, published } = create({ Topic: "down" });
  await run(createMessage(), { kind: "json", value: { v: "é" } });
  expect(Buffer.from(published[0]?.payload ?? []).toString()).toBe('{"v":"é"}');
});

test("a report is published too, and the message is dead", async () => {
  const { run, counted } = create({ Topic: "errors/${id}" });
  await run(createMessage({ id: "d42" }), { kind: "json", value: {} }, true);
  expect(counted).toEqual([{ account: "up", amounts: { received: 1, dead: 1 } }]);
});

test.for([
  ["cmd/${id}", "cmd/d42"],
  ["cmd-${id}/${n + 1}", "cmd-d42/2"],
  ["cmd/${@id}", "cmd/d7"], // of SET
  ["${topic()}/republish", "a/b/republish"], // AWS's own example
  ["${TOPIC(2)}", "b"],
  ["cmd/${missing}/x", "cmd//x"], // no text, as everywhere in templates
  ["$$aws/rules/other/${topic()}", "$aws/rules/other/a/b"],
  [`$$aws/rules/other/1/2/3/4/5/6/7/8`, "$aws/rules/other/1/2/3/4/5/6/7/8"], // the prefix counts in no limit
] as const)("the topic %s becomes %s", async ([Topic, topic]) => {
  const { run, published } = create({ Topic });
  await run(createMessage({ id: "d42", n: 1 }));
  expect(published).toMatchObject([{ topic }]);
});

test.for([
  ["a wildcard for one level", "cmd/${v}", "+"],
  ["a wildcard for all levels", "cmd/${v}", "x#"],
  ["a slash", "cmd/${v}", "a/b"],
  ["a slash in what was made of the topic", "cmd/${concat(topic(), v)}", "x"],
  ["$ at its beginning", "${v}/x", "$SYS"],
  ["a NUL", "cmd/${v}", "\0"],
  ["a control character", "cmd/${v}", "\n"],
  ["a code point that is no character", "cmd/${v}", "\ufdd0"],
  ["a surrogate by itself", "cmd/${v}", "\ud800"],
  ["nothing at all", "${v}", ""],
  ["more than 256 bytes", "cmd/${v}", "x".repeat(253)],
  ["more than seven slashes", "1/2/3/4/5/6/7/${topic()}", ""],
] as const)("a topic with %s is refused", async ([, Topic, v]) => {
  const { run, published, counted } = create({ Topic });
  await expect(run(createMessage({ v }))).rejects.toThrow(/^SUBSTITUTION_INVALID: /);
  expect([...published, ...counted]).toEqual([]);
});

test("a topic without a message's own data may not begin with $ either", async () => {
  const { run } = create({ Topic: "${topic()}/x" });
  await expect(run(createMessage({}, { topic: "$aws/events/x" }))).rejects.toThrow("SUBSTITUTION_INVALID");
});

const headers = {
  PayloadFormatIndicator: "UTF8_DATA",
  ContentType: "application/json",
  ResponseTopic: "answers/${id}",
  CorrelationData: "${encode(id, 'base64')}",
  MessageExpiry: "${n}0",
  UserProperties: [
    { Key: "a", Value: "${id}" },
    { Key: "a", Value: "2" },
    { Key: "${id}", Value: "" },
  ],
};

test("headers are MQTT 5 properties", async () => {
  const { run, published } = create({ Topic: "down", Headers: headers });
  await run(createMessage({ id: "d42", n: 6 }));
  expect(published[0]?.properties).toEqual({
    mqtt: {
      payloadFormatIndicator: "UTF8_DATA",
      contentType: "application/json",
      responseTopic: "answers/d42",
      correlationData: btoa("d42"),
    },
    messageExpirySeconds: 60,
    user: [
      ["a", "d42"],
      ["a", "2"],
      ["d42", ""],
    ],
  });
});

test("headers that come to no text are left out", async () => {
  const copied = { ContentType: "${get_mqtt_property('content_type')}", MessageExpiry: "${missing}" };
  const { run, published } = create({ Topic: "down", Headers: copied });
  await run(createMessage());
  await run(createMessage({}, { mqttProperties: { contentType: "text/plain" } }));
  expect(published.map(({ properties }) => properties?.mqtt.contentType)).toEqual([undefined, "text/plain"]);
});

test.for([
  ["a payload over 128 KiB", {}, "x".repeat(131_073), /^RequestEntityTooLargeException: the payload has 131073 bytes/],
  [
    "an expiry that is no number",
    { MessageExpiry: "${v}" },
    '{"v":"x"}',
    /^InvalidRequestException: messageExpiry is "x"/,
  ],
  ["a response topic with a wildcard", { ResponseTopic: "a/${v}" }, '{"v":"+"}', /responseTopic holds a wildcard/],
  ["a line break in a header", { ContentType: "${v}" }, '{"v":"\\n"}', /contentType holds characters/],
] as const)("%s is not published", async ([, Headers, payload, reason]) => {
  const { run, published, counted } = create({ Topic: "down", Headers });
  await expect(run(createMessage(payload))).rejects.toThrow(reason);
  expect([...published, ...counted]).toEqual([]);
});

test("a broker that is away fails the action", async () => {
  const { run, counted } = create({ Topic: "down", Qos: 1 }, async () => {
    throw new BrokerFailure("mqtt://127.0.0.1: connect ECONNREFUSED", false);
  });
  await expect(run(createMessage())).rejects.toThrow("ECONNREFUSED");
  expect(counted).toEqual([]);
});

test.for([
  ["no topic", {}, "ERR_PROPERTY_INVALID", "Rule.Republish has no Topic"],
  ["an empty topic", { Topic: "" }, "ERR_PROPERTY_INVALID", "Rule.Republish.Topic"],
  ["a wildcard", { Topic: "down/+/${id}" }, "ERR_PROPERTY_INVALID", "it holds a wildcard"],
  ["a control character", { Topic: "down\n" }, "ERR_PROPERTY_INVALID", "no topic name"],
  ["more than seven slashes", { Topic: "1/2/3/4/5/6/7/${id}/9" }, "ERR_PROPERTY_INVALID", "the limit is 7"],
  ["one $", { Topic: "$aws/rules/other/x" }, "ERR_PROPERTY_UNSUPPORTED", "only $$aws/rules/<rule>/…"],
  ["another reserved topic", { Topic: "$$aws/things/t/shadow/update" }, "ERR_PROPERTY_UNSUPPORTED", "reserved"],
  ["a rule that the message names", { Topic: "$$aws/rules/${id}/x" }, "ERR_PROPERTY_UNSUPPORTED", "reserved"],
  ["a rule that is not there", { Topic: "$$aws/rules/none/x" }, "ERR_REFERENCE", "publishes to none"],
  ["a template that does not parse", { Topic: "down/${" }, "ERR_SQL", "Rule.Republish.Topic: "],
  ["QoS 2", { Topic: "down", Qos: 2 }, "ERR_PROPERTY_INVALID", "Qos is 2"],
  ["a template for the QoS", { Topic: "down", Qos: "${qos}" }, "ERR_PROPERTY_INVALID", "Qos"], // AWS has none either
  ["RETAIN", { Topic: "down", Retain: true }, "ERR_PROPERTY_UNSUPPORTED", "Retain"],
  ["a header", { Topic: "down", Headers: { TopicAlias: "1" } }, "ERR_PROPERTY_UNSUPPORTED", "Headers has the property"],
  [
    "a header's value",
    { Topic: "down", Headers: { MessageExpiry: "0" } },
    "ERR_PROPERTY_INVALID",
    "Headers.MessageExpiry",
  ],
  ["a long header", { Topic: "down", Headers: { ContentType: "x".repeat(1025) } }, "ERR_PROPERTY_INVALID", "1025"],
  [
    "a header's template",
    { Topic: "down", Headers: { UserProperties: [{ Key: "a", Value: "${" }] } },
    "ERR_SQL",
    "Headers.UserProperties[0].Value: ",
  ],
  [
    "101 user properties",
    { Topic: "down", Headers: { UserProperties: Array(101).fill({ Key: "a", Value: "b" }) } },
    "ERR_PROPERTY_INVALID",
    "101 user properties",
  ],
] as const)("%s is refused at the start", ([, properties, code, message]) => {
  expect(() => create(properties)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});
