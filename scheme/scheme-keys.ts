import { brokerUrl } from "./broker-url.ts";
import {
  type Check,
  integer,
  isObject,
  join,
  type Keys,
  list,
  listOf,
  object,
  optional,
  record,
  show,
  text,
} from "./shape.ts";

const name = text(/^[a-z][a-z0-9-]{0,31}$/, "1 to 32 of a–z 0–9 -, beginning with a letter");
const stage = text(/^[a-z][a-z0-9-]{0,15}$/, "1 to 16 of a–z 0–9 -, beginning with a letter");
// A rule's name is scheme, stage and route: 32 + 16 + 64 and two separators stay within AWS's 128.
const routeName = [/^[A-Za-z][A-Za-z0-9]{0,63}$/, "1 to 64 letters and digits, beginning with a letter"] as const;
const anyText = text(/^[\s\S]+$/, "text of at least one character");

const secretReference = object({
  kind: text(/^secret$/, "'secret'"),
  name: text(/^[A-Za-z0-9/_+=.@-]{1,512}$/, "a Secrets Manager name: 1 to 512 of A–Z a–z 0–9 / _ + = . @ -"),
});

/** Fields that HTTP's own framing or Trestle sets in every request. */
const fieldsOfRequests = [
  ...["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"],
  ...["idempotency-key", "x-attempt", "x-device-id", "x-mqtt-qos", "x-mqtt-topic", "x-received-at"],
  ...["webhook-id", "webhook-signature", "webhook-timestamp"],
].join("|");
const fieldName = [
  new RegExp(`^(?!(?:${fieldsOfRequests})$)[!#$%&'*+.^_\`|~0-9a-z-]+$`, "i"),
  "a field name of RFC 9110 that neither HTTP's framing nor Trestle sets",
] as const;
const fieldValue = text(/^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/, "a field value of visible ASCII");

function orSecret(check: Check): Check {
  return (value, at, report) => (isObject(value) ? secretReference : check)(value, at, report);
}

/** HTTP compares field names without regard to case: two spellings of one name would be one value lost. */
const headers: Check = (value, at, report) => {
  record(...fieldName, orSecret(fieldValue))(value, at, report);
  const seen = new Map<string, string>();
  for (const name of isObject(value) ? Object.keys(value) : []) {
    const first = seen.get(name.toLowerCase());
    if (first === undefined) seen.set(name.toLowerCase(), name);
    else report("CONFIG_RANGE", join(at, name), `is there as ${first} already`);
  }
};

const signing: Check = (value, at, report) => {
  list(secretReference)(value, at, report);
  if (!Array.isArray(value) || value.length === 1 || value.length === 2) return;
  report("CONFIG_RANGE", at, `${value.length} secrets are not 1, or 2 while they are changed`);
};

/** Longest that SQS keeps a message invisible: 12 hours. */
const maxRetryDelaySeconds = 43_200;
/** All delays of a message together: 10 days, of the 14 that a queue keeps it. The rest is for outages of a route. */
const maxRetrySeconds = 10 * 86_400;
/** A message's history is an item in a table, of about 60 bytes for each attempt. */
const maxRetries = 50;

const retryDelaysSeconds: Check = (value, at, report) => {
  list(integer(1, maxRetryDelaySeconds))(value, at, report);
  if (!Array.isArray(value)) return;
  if (value.length < 1 || value.length > maxRetries) {
    report("CONFIG_RANGE", at, `${value.length} delays are not 1 to ${maxRetries}`);
    return;
  }
  const seconds = value.reduce((sum: number, delay) => sum + Number(delay), 0);
  if (seconds > maxRetrySeconds) {
    report("CONFIG_RANGE", at, `${seconds} s together are more than ${maxRetrySeconds} s, 10 days`);
  }
};

const qos: Check = (value, at, report) => {
  if (value !== 0 && value !== 1) report("QOS_UNSUPPORTED", at, `${show(value)} is not 0 or 1, which AWS IoT Core has`);
};

/** `https://api.example.com/base`: what a request's path can be appended to, and what the outside can be reached by. */
const apiUrl: Check = (value, at, report) => {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null) {
    report("TARGET_INVALID", at, `${show(value)} is not a URL`);
  } else if (url.protocol !== "https:" && url.protocol !== "http:") {
    report("TARGET_FORBIDDEN", at, `'${url.protocol}' is not https: or http:`);
  } else if (url.username !== "" || url.password !== "") {
    report("TARGET_INVALID", at, "holds credentials; api.headers takes them from a secret");
  } else if (/[?#]/.test(String(value))) {
    // Not asked of the URL, which has no `search` and no `hash` where nothing follows `?` or `#`.
    report("TARGET_INVALID", at, `${show(value)} has a ? or #, which cannot be part of a base address`);
  }
};

/** As many as one authorizer and one route of API Gateway can have. */
const maxAudiences = 50;
const maxScopes = 10;

const authorization = object({
  issuer: text(/^https:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/, "an https: URL without credentials, query and fragment"),
  audiences: listOf(1, maxAudiences, "audiences", anyText),
  scopes: optional(listOf(1, maxScopes, "scopes", text(/^[\x21\x23-\x5b\x5d-\x7e]+$/, "a scope of RFC 6749"))),
});

/** With the limits of a Lambda function's network. Ids were of 8 digits, and are of 17. */
const vpc = object({
  id: text(/^vpc-[0-9a-f]{8}(?:[0-9a-f]{9})?$/, "a VPC id"),
  subnetIds: listOf(1, 16, "subnets", text(/^subnet-[0-9a-f]{8}(?:[0-9a-f]{9})?$/, "a subnet id")),
  securityGroupIds: optional(
    listOf(1, 5, "security groups", text(/^sg-[0-9a-f]{8}(?:[0-9a-f]{9})?$/, "a security group id")),
  ),
});

/** The keys of a scheme with the limits of each. What concerns several of them is looked at afterwards. */
export const schemeKeys: Keys = {
  name,
  stage: optional(stage),
  api: object({
    url: apiUrl,
    timeoutMs: optional(integer(100, 60_000)),
    maxConcurrency: optional(integer(1, 10_000)),
    headers: optional(headers),
    signing: optional(signing),
    retryDelaysSeconds: optional(retryDelaysSeconds),
  }),
  // Never less than the queue that they come from keeps them.
  deadLetters: optional(object({ days: integer(14, 3650) })),
  routes: record(
    ...routeName,
    object({
      topic: anyText,
      qos,
      path: optional(anyText),
      method: optional(text(/^(POST|PUT|PATCH|DELETE)$/, "POST, PUT, PATCH or DELETE")),
      where: optional(anyText),
      keep: optional(object({ days: integer(1, 3650) })),
      lease: optional(object({ hours: integer(1, 720) })),
    }),
  ),
  uplink: optional(text(/^(bridge|relay)$/, "bridge or relay")),
  commands: optional(
    object({
      topic: anyText,
      replies: anyText,
      maxPerSecond: optional(integer(1, 10_000)),
      authorization: optional(authorization),
    }),
  ),
  feeds: optional(record(...routeName, object({ topic: anyText }))),
  brokers: optional(
    list(
      object({
        url: brokerUrl,
        credentials: optional(secretReference),
        ca: optional(orSecret(text(/-----BEGIN CERTIFICATE-----/, "a certificate in PEM"))),
        vpc: optional(vpc),
      }),
    ),
  ),
  alarms: optional(object({ email: text(/^[^\s@]+@[^\s@]+$/, "an e-mail address") })),
};
