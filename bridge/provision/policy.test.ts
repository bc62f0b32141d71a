import { expect, test } from "vitest";
import { defineScheme } from "../../scheme/define-scheme.ts";
import { policyOf } from "../../test/support/iot-core-limits/policy.ts";
import { compilePolicies, isPolicyOf, maxPolicyCharacters, policyName } from "./policy.ts";
import { ProvisionError } from "./provision-error.ts";

const prefix = "arn:aws:iot:eu-central-1:123456789012";

test("connects as one client, and publishes to the rules of routes and replies on their own topics", () => {
  const scheme = defineScheme({
    name: "acme",
    api: { url: "https://api.example.com" },
    routes: {
      location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
      reading: { topic: "v1/sites/{site}/{deviceId}", qos: 0 },
    },
    commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
    feeds: { orders: { topic: "orders/{orderId}" } },
    brokers: [{ url: "mqtts://broker.example.com:8883" }],
  });
  const [policy, ...more] = compilePolicies(scheme, "acme-prod-edge", prefix);
  expect(more).toEqual([]);
  expect(policy?.name).toBe("acme-prod-edge");
  expect(JSON.parse(policy?.document ?? "")).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "iot:Connect",
        Resource: `${prefix}:client/acme-prod-edge`,
        Condition: { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect"] } },
      },
      {
        Effect: "Allow",
        Action: "iot:Publish",
        Resource: [
          `${prefix}:topic/$aws/rules/acme_prod_location/v1/drivers/*/location`,
          `${prefix}:topic/$aws/rules/acme_prod_reading/v1/sites/*/*`,
          `${prefix}:topic/$aws/rules/acme_prod_replies/Push/Replies/*`,
        ],
      },
    ],
  });
});

test("with a relay it also publishes frames, and connects under the further client ids", () => {
  const mayWith = (uplink: "bridge" | "relay") =>
    policyOf(compilePolicies(schemeWith(1, uplink), "edge", prefix).map(({ document }) => document));
  const frames = "$aws/rules/acme_prod_relay_frames/frames";

  const relay = mayWith("relay");
  expect(["edge", "edge:2", "edge:17"].every(relay.mayConnect)).toBe(true);
  expect(["edge-2", "edge2", "other", "other:edge"].some(relay.mayConnect)).toBe(false);
  expect([frames, "$aws/rules/acme_prod_r0/v1/drivers/d42/topic0"].every(relay.mayPublish)).toBe(true);
  expect([`${frames}/deeper`, "$aws/rules/acme_prod_relay_frames/other", "frames"].some(relay.mayPublish)).toBe(false);
  expect(relay.maySubscribe(frames)).toBe(false);

  const bridge = mayWith("bridge");
  expect(bridge.mayConnect("edge:2")).toBe(false);
  expect(bridge.mayPublish(frames)).toBe(false);
});

test("spreads many topics over policies that AWS takes, each topic in one of them", () => {
  const policies = compilePolicies(schemeWith(60), "acme-prod-edge", prefix);
  expect(policies.map(({ name }) => name)).toEqual([
    "acme-prod-edge",
    ...[2, 3].map((number) => `acme-prod-edge@${number}`),
  ]);
  const topics: string[] = [];
  for (const { document } of policies) {
    expect(document.length).toBeLessThanOrEqual(maxPolicyCharacters);
    expect(document).not.toMatch(/\s/);
    for (const { Action, Resource } of JSON.parse(document).Statement)
      if (Action === "iot:Publish") topics.push(...Resource);
  }
  expect(topics).toEqual(
    Array.from(
      { length: 60 },
      (_, index) => `${prefix}:topic/$aws/rules/acme_prod_r${index}/v1/drivers/*/topic${index}`,
    ),
  );
});

test("refuses a scheme that one certificate's policies cannot hold, with numbers", () => {
  const compile = () => compilePolicies(schemeWith(220), "acme-prod-edge", prefix);
  expect(compile).toThrow(expect.objectContaining({ constructor: ProvisionError, code: "POLICY_TOO_LARGE" }));
  expect(compile).toThrow(/^220 topics take 11 policies of 2048 characters, a certificate has 10 at most/);
});

test("refuses a client id that is no policy's name", () => {
  expect(policyName("x".repeat(128), 0)).toHaveLength(128);
  expect(() => policyName("x".repeat(127), 1)).toThrow(/has 129 characters, the limit is 128/);
});

test.for([
  ["edge", "edge", true],
  ["edge", "edge@2", true],
  ["a:b", "a=b", true],
  ["edge", "edge-2", false], // another client's
  ["edge", "edge@old", false], // somebody's own
  ["edge", "other", false],
] as const)("of client '%s', policy '%s': %s", ([clientId, name, isOwn]) => {
  expect(isPolicyOf(clientId, name)).toBe(isOwn);
});

function schemeWith(routes: number, uplink: "bridge" | "relay" = "bridge") {
  const topics = Array.from({ length: routes }, (_, index) => [
    `r${index}`,
    { topic: `v1/drivers/{deviceId}/topic${index}`, qos: 1 } as const,
  ]);
  const api = { url: "https://api.example.com" };
  return defineScheme({ name: "acme", api, routes: Object.fromEntries(topics), uplink });
}
