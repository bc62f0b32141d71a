import { expect, test } from "vitest";
import badInputs from "../../scheme/fixtures/bad-inputs.json" with { type: "json" };
import type { IngestMessage } from "../../scheme/ingest.ts";
import type { ApiFields } from "./api-headers.ts";
import { ingestMessage, testScheme } from "./test-message.ts";
import { routeMessage, toRequest } from "./to-request.ts";

const delivery = { id: "059f36b4-87a3-44ab-83d2-661975830a7d", attempt: 1 };
const noFields: ApiFields = { fields: [], overridden: new Set(), secretNames: new Set(), signingKeys: [] };

function build(
  message: IngestMessage,
  { id = delivery.id, attempt = delivery.attempt, basePath = "", apiFields = noFields } = {},
) {
  const opened = toRequest(routeMessage(message, testScheme.routes), { id, attempt }, basePath, apiFields);
  const names = opened.request.headers.filter((_, index) => index % 2 === 0);
  const values = opened.request.headers.filter((_, index) => index % 2 === 1);
  return { ...opened, names, headers: Object.fromEntries(names.map((name, index) => [name, values[index]])) };
}

test("makes the route's request, with Trestle's fields after the device's", () => {
  const envelope = '{"header":{"Authorization":"Bearer t","X-A":"1"},"body":{ "lat": 1.0 }}';
  const { request, headers } = build(ingestMessage({}, envelope), { attempt: 3 });
  expect(request).toMatchObject({ method: "POST", path: "/v1/drivers/d42/location" });
  expect(Buffer.from(request.body).toString()).toBe('{ "lat": 1.0 }');
  expect(headers).toEqual({
    authorization: "Bearer t",
    "x-a": "1",
    "content-type": "application/json",
    "idempotency-key": delivery.id,
    "x-device-id": "d42",
    "x-mqtt-topic": "v1/drivers/d42/location",
    "x-mqtt-qos": "1",
    "x-received-at": "2023-11-14T22:13:20.123Z",
    "x-attempt": "3",
    traceparent: expect.stringMatching(/^00-059f36b487a344ab83d2661975830a7d-[0-9a-f]{16}-01$/),
  });
});

test("takes path and method from the route, below the API's base path", () => {
  const message = ingestMessage({ topic: "v1/drivers/d42/health", route: "health" });
  const { request, headers } = build(message, { basePath: "/base" });
  expect(request).toMatchObject({ method: "PUT", path: "/base/health/d42" });
  expect(headers["x-mqtt-qos"]).toBe("0");
});

test("reads user properties and content type of MQTT 5", () => {
  const message = ingestMessage(
    {
      userProperties: [{ "X-A": "1" }, { "X-B": "2" }],
      contentType: "application/cbor",
      payloadFormat: "UNSPECIFIED_BYTES",
    },
    "plain",
  );
  const { request, headers } = build(message);
  expect(headers).toMatchObject({ "x-a": "1", "x-b": "2", "content-type": "application/cbor" });
  expect(Buffer.from(request.body).toString()).toBe("plain");
});

test("leaves out and counts what a device may not set", () => {
  const header = { Host: "evil", "X-Device-Id": "d1", "X-Api-Key": "mine", ok: "1" };
  const apiFields = {
    fields: ["x-api-key", "k"],
    overridden: new Set(["x-api-key"]),
    secretNames: new Set<string>(),
    signingKeys: [],
  };
  const { headers, names, strippedHeaders } = build(ingestMessage({}, { header, body: 1 }), { apiFields });
  expect(strippedHeaders).toBe(3);
  expect(headers).toMatchObject({ ok: "1", "x-device-id": "d42", "x-api-key": "k" });
  expect(names).not.toContain("host");
  expect(new Set(names).size).toBe(names.length);
});

test.for([
  ["the device's, scoped by the device", "m-1", "d42/m-1"],
  ["the longest that fits", "m".repeat(251), `d42/${"m".repeat(251)}`],
  ["hashed where it would exceed 255", "m".repeat(252), expect.stringMatching(/^d42\/sha256-[0-9a-f]{64}$/)],
] as const)("sends an idempotency key: %s", ([, messageId, expected]) => {
  const { headers } = build(ingestMessage({}, { header: { "Idempotency-Key": messageId }, body: 1 }));
  expect(headers["idempotency-key"]).toEqual(expected);
});

test("keeps key and trace over attempts, and gives each attempt a span of its own", () => {
  const [first, second] = [1, 2].map((attempt) => build(ingestMessage(), { attempt }).headers);
  expect(second?.["idempotency-key"]).toBe(first?.["idempotency-key"]);
  expect(second?.traceparent?.slice(0, 35)).toBe(first?.traceparent?.slice(0, 35));
  expect(second?.traceparent).not.toBe(first?.traceparent);
});

test("makes a trace id of an id that is no UUID", () => {
  expect(build(ingestMessage(), { id: "7" }).headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test("passes the device's own trace", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const { headers, names } = build(ingestMessage({}, { header: { traceparent, tracestate: "a=b" }, body: 1 }));
  expect(headers).toMatchObject({ traceparent, tracestate: "a=b" });
  expect(names.filter((name) => name === "traceparent")).toHaveLength(1);
});

test.for([
  ["api/d1/höhe", "api/d1/h%C3%B6he"],
  ["api/d1/a b", "api/d1/a%20b"],
  ["api/d1/50%", "api/d1/50%25"],
  ["api/d1/?#[]@!$&'()*+,;=", "api/d1/?#[]@!$&'()*+,;="], // visible ASCII as it is
  ["api/d1/😀", "api/d1/%F0%9F%98%80"],
] as const)("writes topic %s into a field as %s", ([topic, expected]) => {
  const { headers } = build(ingestMessage({ topic, route: "collection" }));
  expect(headers["x-mqtt-topic"]).toBe(expected);
  expect(decodeURIComponent(headers["x-mqtt-topic"] ?? "")).toBe(topic);
});

/** Hostile topics whose outcome this path decides, and the path of those that are delivered. */
const topicPaths: Readonly<Record<string, string | undefined>> = {
  "topic-10": undefined,
  "topic-11": undefined,
  "topic-12": undefined,
  "topic-18": undefined,
  "topic-19": undefined,
  "topic-20": undefined,
  "topic-23": "/api/d1/locations%3Fadmin%3D1",
  "topic-24": "/api/d1/%40169.254.169.254/latest",
  "topic-26": undefined,
  "topic-27": undefined,
  "topic-28": "/api/constructor/locations",
};

test.for(badInputs.filter(({ id }) => id in topicPaths))("$id: $input", ({ id, input, expect: expected }) => {
  const {
    utf8,
    prefix = "",
    repeat = "",
    times = 0,
  } = input as Readonly<Record<string, string | undefined>> & {
    readonly times?: number;
  };
  const topic = utf8 ?? prefix + repeat.repeat(times);
  const route = topic.split("/").length === 4 ? "item" : "collection";
  const path = topicPaths[id];
  if (path === undefined) {
    expect(() => build(ingestMessage({ topic, route }))).toThrow(expect.objectContaining({ code: expected.code }));
  } else {
    expect(build(ingestMessage({ topic, route })).request.path).toBe(path);
    expect(expected.outcome).toBe("deliver");
  }
});

test.for([
  ["an unknown route", { route: "nosuch" }],
  ["a route's name that objects know", { route: "constructor" }],
  ["another route's topic", { topic: "v1/drivers/d42/health" }], // by Basic Ingest
  ["a level that UTF-8 cannot hold", { topic: "api/d1/\ud800", route: "collection" }],
] as const)("refuses %s", ([, change]) => {
  expect(() => build(ingestMessage(change))).toThrow(expect.objectContaining({ code: "TOPIC_NOT_ROUTED" }));
});
