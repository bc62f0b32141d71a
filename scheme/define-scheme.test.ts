import { expect, test } from "vitest";
import sample from "../trestle.config.ts";
import { defineScheme, type SchemeInput, secret } from "./define-scheme.ts";
import { badInputs } from "./fixtures/bad-inputs.ts";
import { SchemeError, type SchemeProblemCode } from "./scheme-error.ts";

const base = {
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
} as const satisfies SchemeInput;

/** A scheme's faults, as `at: message (code)`; none where it is accepted. */
function faults(input: unknown): readonly string[] {
  try {
    defineScheme(input as SchemeInput);
    return [];
  } catch (error) {
    if (!(error instanceof SchemeError)) throw error;
    return error.message.split("\n");
  }
}

const withRoute = (route: object) => ({ ...base, routes: { location: { ...base.routes.location, ...route } } });
const withTopic = (topic: string) => withRoute({ topic, path: "/x" });
const withApi = (api: object) => ({ ...base, api: { ...base.api, ...api } });

test("the sample is accepted, and has every part", () => {
  expect([...sample.routes.keys()]).toEqual(["location", "activity", "health"]);
  expect(sample.routes.get("location")).toMatchObject({
    name: "location",
    topic: { source: "v1/drivers/{deviceId}/location", filter: "v1/drivers/+/location" },
    path: { source: "/v1/drivers/{deviceId}/location" }, // the topic, 1:1
    method: "POST",
    qos: 1,
    ruleName: "sample_dev_location",
  });
  expect(sample.commands?.topic.filter).toBe("Push/SDKControls/+");
  expect(sample.commands?.ruleName).toBe("sample_dev_replies");
  expect(sample.feeds.get("orders")?.filter).toBe("orders/+");
});

test("what is left out has its default", () => {
  expect(defineScheme(base)).toMatchObject({
    stage: "prod",
    api: {
      url: "https://api.example.com",
      timeoutMs: 10_000,
      maxConcurrency: 50,
      headers: new Map(),
      signing: [],
      retryDelaysSeconds: undefined,
    },
    deadLetters: { days: 14 },
    commands: undefined,
    feeds: new Map(),
    framesRuleName: undefined,
    brokers: [],
    alarms: undefined,
  });
});

test("a relay has a topic rule for its frames, whose name no route's has", () => {
  expect(defineScheme({ ...base, uplink: "relay" }).framesRuleName).toBe("acme_prod_relay_frames");
  expect(defineScheme({ ...base, uplink: "bridge" }).framesRuleName).toBeUndefined();
  expect(faults({ ...base, uplink: "tunnel" })).toEqual([expect.stringMatching(/^uplink: .*bridge or relay/)]);
});

test("everything that a scheme can have is taken", () => {
  const input: SchemeInput = {
    name: "acme-fleet",
    stage: "eu-1",
    api: {
      url: "https://api.example.com/base//",
      headers: { "X-Api-Key": secret("acme/api-key"), "x-plain": "a b" },
      signing: [secret("acme/signing"), secret("acme/next")],
      retryDelaysSeconds: [1, 43_200],
    },
    deadLetters: { days: 30 },
    routes: {
      location: {
        topic: "v1/{region}/{deviceId}",
        qos: 0,
        path: "/v2/{deviceId}/{region}.json",
        method: "PUT",
        where: "v > 1",
      },
      alarm: { topic: "alarms/{deviceId}", qos: 1, keep: { days: 30 }, lease: { hours: 24 } },
    },
    commands: {
      topic: "Push/SDKControls/{deviceId}",
      replies: "Push/Replies/{deviceId}",
      maxPerSecond: 10_000,
      authorization: { issuer: "https://login.example.com/tenant/", audiences: ["push"], scopes: ["fleet:push"] },
    },
    feeds: { orders: { topic: "orders/{orderId}" }, news: { topic: "news" } },
    brokers: [
      { url: "aws-iot:" },
      { url: "mqtt://[fd00::1]" },
      {
        url: "mqtts://broker.example.com:8883",
        credentials: secret("acme/broker"),
        ca: secret("acme/ca"),
        vpc: { id: "vpc-0123abcd", subnetIds: ["subnet-0123456789abcdef0"], securityGroupIds: ["sg-0123abcd"] },
      },
    ],
    alarms: { email: "ops@example.com" },
  };
  const scheme = defineScheme(input);
  expect(scheme.api.url).toBe("https://api.example.com/base");
  expect([...scheme.api.headers]).toEqual([
    ["x-api-key", { kind: "secret", name: "acme/api-key" }],
    ["x-plain", "a b"],
  ]);
  expect(scheme.routes.get("location")).toMatchObject({ ruleName: "acme_fleet_eu_1_location", method: "PUT" });
  expect(scheme.routes.get("alarm")).toMatchObject({ keep: { days: 30 }, lease: { hours: 24 } });
  expect(scheme).toMatchObject({ api: { retryDelaysSeconds: [1, 43_200] }, deadLetters: { days: 30 } });
  expect(scheme.commands).toMatchObject({
    ruleName: "acme_fleet_eu_1_replies",
    maxPerSecond: 10_000,
    authorization: input.commands?.authorization,
  });
  expect(scheme.brokers).toEqual(input.brokers);
});

const commands = { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" };
const brokers = [{ url: "mqtts://broker.example.com" }];
const jwt = { issuer: "https://login.example.com", audiences: ["push"] };
const vpc = { id: "vpc-0000000a", subnetIds: ["subnet-0000000a", "subnet-0000000b"] };

/** A scheme with commands, something of them changed. */
const withCommands = (change: object) => ({ ...base, brokers, commands: { ...commands, ...change } });
const withJwt = (change: object) => withCommands({ authorization: { ...jwt, ...change } });
const withBrokers = (...all: readonly object[]) => ({ ...base, commands, brokers: all });

test("commands have 500 calls a second and signed requests by default", () => {
  const { ruleName, maxPerSecond, authorization } = defineScheme({ ...base, commands, brokers }).commands ?? {};
  expect({ ruleName, maxPerSecond, authorization }).toEqual({
    ruleName: "acme_prod_replies",
    maxPerSecond: 500,
    authorization: undefined,
  });
});

test.for<readonly [reason: string, input: object, at: string, code: SchemeProblemCode, message?: string]>([
  [
    "a wildcard",
    withTopic("v1/+/{deviceId}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "level 2 of 'v1/+/{deviceId}', '+', holds a wildcard",
  ],
  ["#", withTopic("v1/{deviceId}/#"), "routes.location.topic", "TOPIC_INVALID", "wildcard"],
  ["# in a level", withTopic("v1/{deviceId}/a#"), "routes.location.topic", "TOPIC_INVALID", "wildcard"],
  ["$ first", withTopic("$aws/{deviceId}"), "routes.location.topic", "TOPIC_INVALID", "begins with $"],
  [
    "a shared subscription",
    withTopic("$share/g/{deviceId}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "begins with $",
  ],
  [
    "a leading slash",
    withTopic("/v1/{deviceId}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "level 1 of '/v1/{deviceId}', '', is empty",
  ],
  ["an empty level", withTopic("v1//{deviceId}"), "routes.location.topic", "TOPIC_INVALID", "is empty"],
  ["a trailing slash", withTopic("v1/{deviceId}/"), "routes.location.topic", "TOPIC_INVALID", "is empty"],
  ["a dot segment", withTopic("v1/../{deviceId}"), "routes.location.topic", "TOPIC_INVALID", "is a dot segment"],
  ["a space", withTopic("v1/a b/{deviceId}"), "routes.location.topic", "TOPIC_INVALID", "characters other than"], // separates in the broker's ACL
  ["a percent sign", withTopic("v1/%u/{deviceId}"), "routes.location.topic", "TOPIC_INVALID", "characters other than"], // a pattern of the broker's ACL
  ["a quote", withTopic("v1/a'/{deviceId}"), "routes.location.topic", "TOPIC_INVALID", "characters other than"], // ends the SQL's FROM
  [
    "part of a level as placeholder",
    withTopic("v1/d-{deviceId}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "is not a placeholder",
  ],
  [
    "an unnamed placeholder",
    withTopic("v1/{}/{deviceId}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "is not a placeholder",
  ],
  [
    "a placeholder twice",
    withTopic("{deviceId}/{deviceId}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "has {deviceId} twice",
  ],
  [
    "no device",
    withTopic("v1/drivers"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "'v1/drivers' has no level {deviceId}",
  ],
  [
    "another spelling of the device",
    withTopic("v1/{deviceID}"),
    "routes.location.topic",
    "TOPIC_INVALID",
    "has no level {deviceId}",
  ],
  [
    "eight slashes",
    withTopic("{deviceId}/1/2/3/4/5/6/7/8"),
    "routes.location.topic",
    "TOPIC_TOO_DEEP",
    "has 8 slashes, the limit is 7",
  ],
  [
    "257 bytes with the longest device id",
    withTopic(`{deviceId}/${"t".repeat(128)}`),
    "routes.location.topic",
    "TOPIC_TOO_LONG",
    "257 bytes with the longest device id, the limit is 256",
  ],
  [
    "a device in a feed",
    { ...base, brokers, feeds: { a: { topic: "orders/{deviceId}" } } },
    "feeds.a.topic",
    "TOPIC_INVALID",
    "read by every device",
  ],
  [
    "a second placeholder in commands",
    withCommands({ topic: "Push/{deviceId}/{kind}/x" }),
    "commands.topic",
    "TOPIC_INVALID",
    "placeholders other than {deviceId}",
  ],
  [
    "no device in replies",
    withCommands({ replies: "Push/Replies" }),
    "commands.replies",
    "TOPIC_INVALID",
    "no level {deviceId}",
  ],
  [
    "two routes with one topic",
    { ...base, routes: { ...base.routes, other: base.routes.location } },
    "routes.other.topic",
    "CONFIG_DUPLICATE_ROUTE",
    "of routes.location.topic can be the same topic",
  ],
  [
    "two routes that can match one topic",
    { ...base, routes: { ...base.routes, any: { topic: "v1/drivers/{deviceId}/{kind}", qos: 0 } } },
    "routes.any.topic",
    "CONFIG_DUPLICATE_ROUTE",
  ],
  [
    "placeholders that meet crosswise",
    { ...base, routes: { a: { topic: "a/{deviceId}", qos: 0 }, b: { topic: "{deviceId}/b", qos: 0 } } },
    "routes.b.topic",
    "CONFIG_DUPLICATE_ROUTE",
  ],
  [
    "a route and the commands",
    { ...base, routes: { a: { topic: "Push/SDKControls/{deviceId}", qos: 1 } }, commands, brokers },
    "commands.topic",
    "CONFIG_DUPLICATE_ROUTE",
    "of routes.a.topic",
  ],
  [
    "commands and their replies",
    withCommands({ replies: commands.topic }),
    "commands.replies",
    "CONFIG_DUPLICATE_ROUTE",
    "of commands.topic",
  ],
  [
    "a route and a feed",
    { ...base, brokers, feeds: { a: { topic: "v1/drivers/{id}/location" } } },
    "feeds.a.topic",
    "CONFIG_DUPLICATE_ROUTE",
    "of routes.location.topic",
  ],
  ["QoS 2", withRoute({ qos: 2 }), "routes.location.qos", "QOS_UNSUPPORTED", "2 is not 0 or 1"],
  ["a QoS as text", withRoute({ qos: "1" }), "routes.location.qos", "QOS_UNSUPPORTED", '"1" is not 0 or 1'],
  [
    "no QoS",
    { ...base, routes: { location: { topic: "v1/{deviceId}" } } },
    "routes.location.qos",
    "CONFIG_MISSING",
    "is required",
  ],
  ["no routes", { ...base, routes: {} }, "routes", "CONFIG_RANGE", "at least one is needed"],
  [
    "a path with an unknown level",
    withRoute({ path: "/v2/{driver}" }),
    "routes.location.path",
    "PATH_INVALID",
    "names {driver}, its topic has {deviceId}",
  ],
  ["a path with a query", withRoute({ path: "/v2?id={deviceId}" }), "routes.location.path", "PATH_INVALID", "? or #"],
  ["a path with a fragment", withRoute({ path: "/v2#{deviceId}" }), "routes.location.path", "PATH_INVALID", "? or #"],
  [
    "a path without a slash",
    withRoute({ path: "v2" }),
    "routes.location.path",
    "PATH_INVALID",
    "does not begin with /",
  ],
  [
    "a path with half a placeholder",
    withRoute({ path: "/v2/{deviceId" }),
    "routes.location.path",
    "PATH_INVALID",
    "characters that a path would have to encode",
  ],
  [
    "a path with a percent sign",
    withRoute({ path: "/v2/%2e%2e/x" }),
    "routes.location.path",
    "PATH_INVALID",
    "characters that a path would have to encode",
  ],
  [
    "a path with a dot segment",
    withRoute({ path: "/v2/../admin" }),
    "routes.location.path",
    "PATH_INVALID",
    "dot segment",
  ],
  [
    "an unknown method",
    withRoute({ method: "GET" }),
    "routes.location.method",
    "CONFIG_RANGE",
    "POST, PUT, PATCH or DELETE",
  ],
  [
    "a route's name with a dash",
    { ...base, routes: { "a-b": base.routes.location } },
    "routes.a-b",
    "CONFIG_RANGE",
    "1 to 64 letters and digits",
  ],
  [
    "a route called __proto__",
    { ...base, routes: JSON.parse('{"__proto__": {"topic": "v1/{deviceId}", "qos": 1}}') },
    "routes.__proto__",
    "CONFIG_RANGE",
    "the name '__proto__'",
  ],
  ["a key with a slip", { ...base, brokerz: [] }, "brokerz", "CONFIG_UNKNOWN_KEY", "did you mean 'brokers'?"],
  [
    "a key with a slip inside",
    withRoute({ metod: "PUT" }),
    "routes.location.metod",
    "CONFIG_UNKNOWN_KEY",
    "did you mean 'method'?",
  ],
  ["an unknown key", { ...base, tenants: [] }, "tenants", "CONFIG_UNKNOWN_KEY", "known are name, stage, api"],
  [
    "a key called __proto__",
    JSON.parse(JSON.stringify(base).replace("{", '{"__proto__":{"allowPrivateTargets":true},')),
    "__proto__",
    "CONFIG_UNKNOWN_KEY",
  ],
  ["a key that every object has", { ...base, constructor: 1 }, "constructor", "CONFIG_UNKNOWN_KEY"],
  ["no name", { ...base, name: undefined }, "name", "CONFIG_MISSING", "is required"],
  ["a name with capitals", { ...base, name: "Acme" }, "name", "CONFIG_RANGE"],
  ["a stage with a dot", { ...base, stage: "v1.2" }, "stage", "CONFIG_RANGE"],
  [
    "no time at all",
    withApi({ timeoutMs: 99 }),
    "api.timeoutMs",
    "CONFIG_RANGE",
    "99 is not a whole number from 100 to 60000",
  ],
  ["too much time", withApi({ timeoutMs: 60_001 }), "api.timeoutMs", "CONFIG_RANGE"],
  ["half a request", withApi({ maxConcurrency: 1.5 }), "api.maxConcurrency", "CONFIG_RANGE"],
  ["no number", withApi({ maxConcurrency: Number.NaN }), "api.maxConcurrency", "CONFIG_RANGE"],
  ["a number as text", withApi({ timeoutMs: "1000" }), "api.timeoutMs", "CONFIG_TYPE", '"1000" is not a number'],
  ["a BigInt", withApi({ timeoutMs: 1000n }), "api.timeoutMs", "CONFIG_TYPE", "1000n is not a number"],
  ["a file", withApi({ url: "file:///etc/passwd" }), "api.url", "TARGET_FORBIDDEN", "'file:' is not https: or http:"],
  [
    "credentials in the address",
    withApi({ url: "https://user:pass@api.example.com" }),
    "api.url",
    "TARGET_INVALID",
    "credentials",
  ],
  ["a query", withApi({ url: "https://api.example.com/?a=1" }), "api.url", "TARGET_INVALID", "? or #"],
  ["a fragment", withApi({ url: "https://api.example.com/#a" }), "api.url", "TARGET_INVALID", "? or #"],
  ["an empty query", withApi({ url: "https://api.example.com?" }), "api.url", "TARGET_INVALID", "? or #"],
  ["no address", withApi({ url: "api.example.com" }), "api.url", "TARGET_INVALID", "is not a URL"],
  ["an address that is no text", withApi({ url: 7 }), "api.url", "TARGET_INVALID", "7 is not a URL"],
  [
    "a header's name with a space",
    withApi({ headers: { "x y": "a" } }),
    "api.headers.x y",
    "CONFIG_RANGE",
    "field name of RFC 9110",
  ],
  [
    "a header that frames requests",
    withApi({ headers: { "Content-Length": "1" } }),
    "api.headers.Content-Length",
    "CONFIG_RANGE",
  ],
  [
    "a header's value with a line feed",
    withApi({ headers: { "x-y": "a\nb" } }),
    "api.headers.x-y",
    "CONFIG_RANGE",
    "visible ASCII",
  ],
  [
    "a header's value that is a number",
    withApi({ headers: { "x-y": 1 } }),
    "api.headers.x-y",
    "CONFIG_TYPE",
    "1 is not text",
  ],
  [
    "a header twice",
    withApi({ headers: { "X-Key": "a", "x-key": "b" } }),
    "api.headers.x-key",
    "CONFIG_RANGE",
    "is there as X-Key already",
  ],
  [
    "a secret without name",
    withApi({ headers: { "x-y": secret("") } }),
    "api.headers.x-y.name",
    "CONFIG_RANGE",
    "Secrets Manager name",
  ],
  [
    "three signing secrets",
    withApi({ signing: [secret("a"), secret("b"), secret("c")] }),
    "api.signing",
    "CONFIG_RANGE",
    "3 secrets are not 1, or 2 while they are changed",
  ],
  ["no signing secret", withApi({ signing: [] }), "api.signing", "CONFIG_RANGE", "0 secrets are not 1"],
  [
    "a signing secret in the clear",
    withApi({ signing: ["whsec_x"] }),
    "api.signing[0]",
    "CONFIG_TYPE",
    "not an object",
  ],
  [
    "no delay at all",
    withApi({ retryDelaysSeconds: [] }),
    "api.retryDelaysSeconds",
    "CONFIG_RANGE",
    "0 delays are not 1 to 50",
  ],
  [
    "51 delays",
    withApi({ retryDelaysSeconds: Array(51).fill(1) }),
    "api.retryDelaysSeconds",
    "CONFIG_RANGE",
    "51 delays are not 1 to 50",
  ],
  [
    "delays over more than ten days",
    withApi({ retryDelaysSeconds: [...Array(20).fill(43_200), 1] }),
    "api.retryDelaysSeconds",
    "CONFIG_RANGE",
    "864001 s together are more than 864000 s",
  ],
  [
    "a delay of nothing",
    withApi({ retryDelaysSeconds: [5, 0] }),
    "api.retryDelaysSeconds[1]",
    "CONFIG_RANGE",
    "0 is not a whole number from 1 to 43200",
  ],
  [
    "a delay longer than SQS keeps a message invisible",
    withApi({ retryDelaysSeconds: [43_201] }),
    "api.retryDelaysSeconds[0]",
    "CONFIG_RANGE",
  ],
  [
    "a delay that is no list",
    withApi({ retryDelaysSeconds: 5 }),
    "api.retryDelaysSeconds",
    "CONFIG_TYPE",
    "5 is not a list",
  ],
  [
    "dead letters kept for less than their queue would",
    { ...base, deadLetters: { days: 13 } },
    "deadLetters.days",
    "CONFIG_RANGE",
    "13 is not a whole number from 14 to 3650",
  ],
  ["dead letters for ever", { ...base, deadLetters: { days: 3651 } }, "deadLetters.days", "CONFIG_RANGE"],
  ["messages kept for no day", withRoute({ keep: { days: 0 } }), "routes.location.keep.days", "CONFIG_RANGE"],
  ["messages kept for ever", withRoute({ keep: { days: 3651 } }), "routes.location.keep.days", "CONFIG_RANGE"],
  ["messages kept without days", withRoute({ keep: {} }), "routes.location.keep.days", "CONFIG_MISSING"],
  ["a lease of no hour", withRoute({ lease: { hours: 0 } }), "routes.location.lease.hours", "CONFIG_RANGE"],
  ["a lease over 30 days", withRoute({ lease: { hours: 721 } }), "routes.location.lease.hours", "CONFIG_RANGE"],
  [
    "keeping QoS 0 messages",
    withRoute({ qos: 0, keep: { days: 1 } }),
    "routes.location.keep",
    "CONFIG_CONFLICT",
    "is for QoS 1; QoS 0 goes to the API with nothing written down",
  ],
  [
    "a lease of QoS 0 messages",
    withRoute({ qos: 0, lease: { hours: 1 } }),
    "routes.location.lease",
    "CONFIG_CONFLICT",
    "is for QoS 1",
  ],
  [
    "a secret of another kind",
    withApi({ headers: { "x-y": { kind: "env", name: "a" } } }),
    "api.headers.x-y.kind",
    "CONFIG_RANGE",
    "'secret'",
  ],
  [
    "an http broker",
    { ...base, brokers: [{ url: "https://broker.example.com" }] },
    "brokers[0].url",
    "TARGET_INVALID",
    "mqtts://host:port",
  ],
  [
    "credentials in a broker's address",
    { ...base, brokers: [{ url: "mqtt://a:b@broker.example.com" }] },
    "brokers[0].url",
    "TARGET_INVALID",
    "credentials",
  ],
  [
    "a certificate that is none",
    { ...base, brokers: [{ url: "mqtts://b.example.com", ca: "ca.pem" }] },
    "brokers[0].ca",
    "CONFIG_RANGE",
    "PEM",
  ],
  ["brokers that are no list", { ...base, brokers: {} }, "brokers", "CONFIG_TYPE", "{} is not a list"],
  [
    "a broker's address with a comma",
    withBrokers({ url: "mqtts://a,mqtts:b:8883" }),
    "brokers[0].url",
    "TARGET_INVALID",
    "mqtts://host:port",
  ],
  [
    "a broker's address with a path",
    withBrokers({ url: "mqtts://b.example.com/mqtt" }),
    "brokers[0].url",
    "TARGET_INVALID",
  ],
  ["a data plane with a host", withBrokers({ url: "aws-iot://a" }), "brokers[0].url", "TARGET_INVALID", "or aws-iot:"],
  [
    "a subnet that is none",
    withBrokers({ url: "mqtts://b.example.com", vpc: { ...vpc, subnetIds: ["a"] } }),
    "brokers[0].vpc.subnetIds[0]",
    "CONFIG_RANGE",
  ],
  [
    "a VPC without subnets",
    withBrokers({ url: "mqtts://b.example.com", vpc: { ...vpc, subnetIds: [] } }),
    "brokers[0].vpc.subnetIds",
    "CONFIG_RANGE",
    "0 subnets are not 1 to 16",
  ],
  [
    "more security groups than a function can have",
    withBrokers({ url: "mqtts://b.example.com", vpc: { ...vpc, securityGroupIds: Array(6).fill("sg-0123abcd") } }),
    "brokers[0].vpc.securityGroupIds",
    "CONFIG_RANGE",
    "6 security groups are not 1 to 5",
  ],
  [
    "a second VPC",
    withBrokers(
      { url: "mqtt://a", vpc },
      { url: "mqtt://b" },
      { url: "mqtt://c", vpc: { ...vpc, id: "vpc-0000000b" } },
    ),
    "brokers[2].vpc",
    "CONFIG_CONFLICT",
    "is another than that of brokers[0], and the functions can be in one only",
  ],
  [
    "other subnets of one VPC",
    withBrokers({ url: "mqtt://a", vpc }, { url: "mqtt://b", vpc: { ...vpc, subnetIds: ["subnet-0000000a"] } }),
    "brokers[1].vpc",
    "CONFIG_CONFLICT",
  ],
  [
    "a broker twice",
    withBrokers({ url: "mqtts://b.example.com" }, { url: "aws-iot:" }, { url: "mqtts://B.example.com:8883/" }),
    "brokers[2].url",
    "CONFIG_CONFLICT",
    "'mqtts://B.example.com:8883/' is the broker of brokers[0]",
  ],
  [
    "credentials of the data plane",
    withBrokers({ url: "aws-iot:", credentials: secret("acme/broker") }),
    "brokers[0].credentials",
    "CONFIG_CONFLICT",
    "is not for aws-iot:, which AWS itself lets the functions use",
  ],
  [
    "an authority of the data plane",
    withBrokers({ url: "aws-iot:", ca: secret("a") }),
    "brokers[0].ca",
    "CONFIG_CONFLICT",
  ],
  ["a VPC of the data plane", withBrokers({ url: "aws-iot:", vpc }), "brokers[0].vpc", "CONFIG_CONFLICT"],
  [
    "an authority where there is no TLS",
    withBrokers({ url: "mqtt://b.example.com", ca: secret("acme/ca") }),
    "brokers[0].ca",
    "CONFIG_CONFLICT",
    "is for mqtts:",
  ],
  ["commands without brokers", { ...base, commands }, "commands", "CONFIG_CONFLICT", "needs brokers"],
  ["commands with no broker", { ...base, commands, brokers: [] }, "commands", "CONFIG_CONFLICT", "there is none"],
  [
    "feeds without brokers",
    { ...base, feeds: { a: { topic: "orders" } } },
    "feeds",
    "CONFIG_CONFLICT",
    "needs brokers",
  ],
  [
    "a route with the replies' name",
    { ...withCommands({}), routes: { replies: base.routes.location } },
    "routes.replies",
    "CONFIG_CONFLICT",
    "'replies' is the name under which the devices' replies arrive",
  ],
  ["no command at all", withCommands({ maxPerSecond: 0 }), "commands.maxPerSecond", "CONFIG_RANGE", "from 1 to 10000"],
  ["more than API Gateway takes", withCommands({ maxPerSecond: 10_001 }), "commands.maxPerSecond", "CONFIG_RANGE"],
  ["a word for authorization", withCommands({ authorization: "none" }), "commands.authorization", "CONFIG_TYPE"],
  ["no issuer", withJwt({ issuer: undefined }), "commands.authorization.issuer", "CONFIG_MISSING"],
  [
    "an issuer without TLS",
    withJwt({ issuer: "http://login.example.com" }),
    "commands.authorization.issuer",
    "CONFIG_RANGE",
    "an https: URL",
  ],
  [
    "an issuer with credentials",
    withJwt({ issuer: "https://a:b@c.example" }),
    "commands.authorization.issuer",
    "CONFIG_RANGE",
  ],
  [
    "tokens for anybody",
    withJwt({ audiences: [] }),
    "commands.authorization.audiences",
    "CONFIG_RANGE",
    "0 audiences are not 1 to 50",
  ],
  ["an empty audience", withJwt({ audiences: [""] }), "commands.authorization.audiences[0]", "CONFIG_RANGE"],
  ["no scope in a list", withJwt({ scopes: [] }), "commands.authorization.scopes", "CONFIG_RANGE", "0 scopes"],
  [
    "a scope with a space",
    withJwt({ scopes: ["a b"] }),
    "commands.authorization.scopes[0]",
    "CONFIG_RANGE",
    "RFC 6749",
  ],
  ["an address without @", { ...base, alarms: { email: "ops" } }, "alarms.email", "CONFIG_RANGE", "e-mail"],
  ["routes that are no object", { ...base, routes: [] }, "routes", "CONFIG_TYPE", "[] is not an object"],
])("%s is refused", ([, input, at, code, message = ""]) => {
  const found = faults(input);
  expect(found).toHaveLength(1);
  expect(found[0]?.startsWith(`${at}: `)).toBe(true);
  expect(found[0]).toContain(message);
  expect(found[0]?.endsWith(` (${code})`)).toBe(true);
});

test.for([[null], [undefined], [[]], ["scheme"], [7]])("%j is no scheme", ([input]) => {
  expect(faults(input)).toEqual([expect.stringContaining("is not an object (CONFIG_TYPE)")]);
});

test.for([
  ["256 bytes with the longest device id", withTopic(`{deviceId}/${"t".repeat(127)}`)],
  ["seven slashes", withTopic("{deviceId}/1/2/3/4/5/6/7")],
  [
    "topics of different lengths",
    { ...base, routes: { ...base.routes, all: { topic: "v1/drivers/{deviceId}", qos: 0 } } },
  ],
  [
    "topics that differ in a literal",
    { ...base, routes: { a: { topic: "a/{deviceId}", qos: 0 }, b: { topic: "b/{deviceId}", qos: 0 } } },
  ],
  [
    "letters of another case",
    { ...base, routes: { a: { topic: "a/{deviceId}", qos: 0 }, b: { topic: "A/{deviceId}", qos: 0 } } },
  ],
  ["a key that is undefined", { ...base, alarms: undefined }],
  ["a route called replies where there are no commands", { ...base, routes: { replies: base.routes.location } }],
  ["feeds that are none, without brokers", { ...base, feeds: {} }],
  ["brokers with nothing to publish", { ...base, brokers }],
  [
    "one VPC of several brokers, whatever the order",
    withBrokers(
      { url: "mqtt://a", vpc },
      { url: "mqtt://b:1884", vpc: { ...vpc, subnetIds: vpc.subnetIds.toReversed() } },
      { url: "mqtt://b" },
    ),
  ],
] as const)("%s is accepted", ([, input]) => {
  expect(faults(input)).toEqual([]);
});

test("all faults are reported at once", () => {
  const input = { ...base, name: "", api: { url: "x", timeoutMs: 0 }, routes: { a: { topic: "", qos: 3 } } };
  expect(faults(input).map((line) => line.slice(0, line.indexOf(":")))).toEqual([
    "name",
    "api.url",
    "api.timeoutMs",
    "routes.a.topic",
    "routes.a.qos",
  ]);
  const topics = { ...base, routes: { a: { topic: "+", qos: 0 }, b: { topic: "b", qos: 0, path: "/{c}" } } };
  expect(faults(topics).map((line) => line.slice(0, line.indexOf(":")))).toEqual([
    "routes.a.topic",
    "routes.b.topic",
    "routes.b.path",
  ]);
});

test("the protection of __proto__ leaves every object's prototype as it is", () => {
  faults(JSON.parse('{"__proto__":{"polluted":true}}'));
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

/** Of the hostile configurations those that are about a scheme's address, as far as this scheme has the keys. */
test.for(badInputs("config").filter(({ id }) => ["cfg-08", "cfg-09", "cfg-12"].includes(id)))(
  "$id is refused as the list says",
  ({ input, expect: { code } }) => {
    expect(faults(withApi({ url: input.targetUrl }))).toEqual([expect.stringContaining(`(${code})`)]);
  },
);
