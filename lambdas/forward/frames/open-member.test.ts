import { expect, test } from "vitest";
import { testScheme } from "../test-message.ts";
import { createOpenMember } from "./open-member.ts";
import { idOf, memberOf } from "./test-member.ts";

const open = createOpenMember(testScheme.routes);

test("a member is what the topic rule of its route would have made of it, with an id", () => {
  const { payload } = memberOf(7);
  const opened = open(memberOf(7), "relay-1");
  const message = {
    data: Buffer.from(payload).toString("base64"),
    topic: "v1/drivers/d7/location",
    route: "location",
    receivedAt: 1_700_000_000_123,
    broker: "relay-1",
    id: idOf(7),
  };
  expect(opened).toMatchObject({ id: idOf(7), routeName: "location", message, routed: { deviceId: "d7" } });
  expect(JSON.parse(opened.body)).toEqual(message);
});

test("a member has the MQTT 5 properties of its message", () => {
  const properties = {
    ...({ contentType: "text/plain", payloadFormat: "UTF8_DATA", responseTopic: "r" } as const),
    correlationData: Buffer.from([0, 255]),
    userProperties: [
      ["a", "1"],
      ["__proto__", "2"],
      ["a", "3"],
    ] as const,
  };
  expect(JSON.parse(open(memberOf(1, properties), undefined).body)).toMatchObject({
    ...{ contentType: "text/plain", payloadFormat: "UTF8_DATA", responseTopic: "r", correlationData: "AP8=" },
    userProperties: [{ a: "1" }, JSON.parse('{"__proto__":"2"}'), { a: "3" }],
  });
});

test.for([
  ["v1/drivers/d1/health", "health", { deviceId: "d1" }],
  ["api/d1/x/y", "item", { deviceId: "d1" }],
  ["v1/drivers/d1", "unknown", { code: "TOPIC_NOT_ROUTED", message: 'no route has the topic "v1/drivers/d1"' }],
  ["$aws/d1/x", "unknown", { code: "TOPIC_NOT_ROUTED" }],
  ["v1/drivers/d.1/location", "location", { code: "DEVICE_ID_INVALID" }],
  ["1/2/3/4/5/6/7/8/9", "unknown", { code: "TOPIC_TOO_DEEP" }],
  ["Push/Replies/d1", "unknown", { code: "TOPIC_NOT_ROUTED" }], // replies go to their own rule
] as const)("topic %s belongs to route %s", ([topic, routeName, routed]) => {
  expect(open(memberOf(1, { topic }), undefined)).toMatchObject({ routeName, routed, message: { route: routeName } });
});

test("what would not fit into a queue is at fault itself", () => {
  const fits = Buffer.alloc(131_072);
  expect(open(memberOf(1, { payload: fits }), undefined).routed).toMatchObject({ deviceId: "d1" });
  expect(open(memberOf(1, { payload: Buffer.alloc(200_000) }), undefined).routed).toMatchObject({
    code: "PAYLOAD_TOO_LARGE",
  });
});

test("a device's text holds no character that SQS refuses", () => {
  const { body } = open(memberOf(1, { userProperties: [["k", "a\uffffb\ufffe\u0000é"]] }), undefined);
  for (const character of "\ufffe\uffff\u0000") expect(body).not.toContain(character);
  expect(JSON.parse(body).userProperties).toEqual([{ k: "a\uffffb\ufffe\u0000é" }]);
});
