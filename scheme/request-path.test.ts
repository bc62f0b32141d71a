import { expect, test } from "vitest";
import { badInputs } from "./fixtures/bad-inputs.ts";
import { MessageError } from "./message-error.ts";
import { deviceIdOf, parsePathTemplate, renderPath } from "./request-path.ts";
import { matchTemplate, parseTopicTemplate, placeholdersOf } from "./topic-template.ts";

/** The request's path for a topic, or the reason that it has none. */
function pathFor(topicSource: string, pathSource: string, topic: string): string {
  const template = parseTopicTemplate(topicSource);
  if ("code" in template) throw new Error(template.message);
  const path = parsePathTemplate(pathSource, placeholdersOf(template));
  if (typeof path === "string") throw new Error(path);
  const values = matchTemplate(template, topic);
  if (values === undefined) return "TOPIC_NOT_ROUTED";
  try {
    deviceIdOf(values);
    return renderPath(path, values);
  } catch (error) {
    if (error instanceof MessageError) return error.code;
    throw error;
  }
}

test.for([
  ["topic-18", "TOPIC_NOT_ROUTED"],
  ["topic-19", "DEVICE_ID_INVALID"],
  ["topic-20", "TOPIC_NOT_ROUTED", "api/{deviceId}/{rest}"], // four levels: no topic of this route
  ["topic-20", "DEVICE_ID_INVALID", "api/{deviceId}/{rest}/{more}"],
  ["topic-23", "/api/d1/locations%3Fadmin%3D1"], // no query appears
  ["topic-24", "/api/d1/%40169.254.169.254/latest", "api/{deviceId}/{rest}/{more}"], // the host stays
  ["topic-26", "TOPIC_NOT_ROUTED"],
  ["topic-27", "DEVICE_ID_INVALID"],
  ["topic-28", "/api/constructor/locations"],
] as const)("%s comes to %s", ([id, outcome, template = "api/{deviceId}/{rest}"]) => {
  const input = badInputs("mqtt.topic").find((row) => row.id === id);
  expect(pathFor(template, `/${template}`, String(input?.input.utf8))).toBe(outcome);
});

test.for([
  ["v1/d42/a b", "/v1/d42/a%20b"],
  ["v1/d42/é\u{1f600}", "/v1/d42/%C3%A9%F0%9F%98%80"],
  ["v1/d42/%2e%2e", "/v1/d42/%252e%252e"], // encoded once more, so no dot segment
  ["v1/d42/...", "/v1/d42/..."],
  ["v1/d42/\\..\\x", "/v1/d42/%5C..%5Cx"], // URL parsers read \ as /
  ["v1/d42/a;b&c=d#e", "/v1/d42/a%3Bb%26c%3Dd%23e"],
  ["v1/d:42/x", "/v1/d%3A42/x"],
  ["v1/d42/", "TOPIC_NOT_ROUTED"],
  ["v1/d42/.", "TOPIC_NOT_ROUTED"],
  ["v1/d42/..", "TOPIC_NOT_ROUTED"],
  ["v1/d42/\ud800", "TOPIC_NOT_ROUTED"], // UTF-8 cannot hold it
  ["v1/..", "TOPIC_NOT_ROUTED"],
  ["v1/../x", "DEVICE_ID_INVALID"],
  ["v1/d.42/x", "DEVICE_ID_INVALID"],
] as const)("the topic %j comes to %s", ([topic, outcome]) => {
  expect(pathFor("v1/{deviceId}/{rest}", "/v1/{deviceId}/{rest}", topic)).toBe(outcome);
});

test.for([
  ["/", "/"],
  ["/v2/positions", "/v2/positions"],
  ["/{deviceId}", "/d42"],
  ["/{rest}/{deviceId}.json", "/x/d42.json"], // another order, part of a segment
  ["/a/{deviceId}{rest}", "/a/d42x"],
  ["/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"],
] as const)("the path %s comes to %s", ([source, path]) => {
  expect(pathFor("v1/{deviceId}/{rest}", source, "v1/d42/x")).toBe(path);
});

test("an error shows a device's text escaped and cut", () => {
  const values = new Map([["deviceId", `\r\n\u202e${"x".repeat(100)}`]]);
  expect(() => deviceIdOf(values)).toThrow(/^"\\r\\n\\u202ex+"… \(103 characters\) is not a device id/);
});
