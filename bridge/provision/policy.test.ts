import { expect, test } from "vitest";
import { defineScheme } from "../../scheme/define-scheme.ts";
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

function schemeWith(routes: number) {
  const topics = Array.from({ length: routes }, (_, index) => [
    `r${index}`,
    { topic: `v1/drivers/{deviceId}/topic${index}`, qos: 1 } as const,
  ]);
  return defineScheme({ name: "acme", api: { url: "https://api.example.com" }, routes: Object.fromEntries(topics) });
}
