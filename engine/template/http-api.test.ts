import { expect, test } from "vitest";
import { httpApiResources, temporaryFolder, writeAssembly } from "../testing.ts";
import { readAssembly } from "./assembly.ts";
import { mayInvoke } from "./permissions.ts";
import type { HttpApiPlan, Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";

const key = "POST /devices/{deviceId}/commands";

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: object }>>;

function plan(resources: Resources, Outputs: object = {}): Plan {
  return readPlan(readAssembly(writeAssembly({ Resources: resources, Outputs }, { "code.zip": temporaryFolder() })));
}

/** An API with one route, and some properties of some of its resources changed. */
function changed(changes: Readonly<Record<string, object>>, added: Resources = {}): Resources {
  const resources: Resources = { ...httpApiResources([key]), ...added };
  return Object.fromEntries(
    Object.entries(resources).map(([id, { Type, Properties }]) => [
      id,
      { Type, Properties: { ...Properties, ...changes[id] } },
    ]),
  );
}

const authorizer = {
  Type: "AWS::ApiGatewayV2::Authorizer",
  Properties: {
    ApiId: { Ref: "Api" },
    AuthorizerType: "JWT",
    IdentitySource: ["$request.header.Authorization"],
    JwtConfiguration: { Audience: ["fleet"], Issuer: "https://issuer.example.com/" },
    Name: "Jwt",
  },
};

test("what a template leaves out has API Gateway's defaults", () => {
  const { httpApi, functions } = plan(httpApiResources([key, "$default"]), {
    Url: { Value: { "Fn::GetAtt": ["Api", "ApiEndpoint"] } },
  });
  const [functionArn = ""] = functions.keys();
  const id = httpApi?.id ?? "";
  expect(id).toMatch(/^[a-z0-9]{10}$/);
  const arn = `arn:aws:execute-api:us-east-1:000000000000:${id}/$default`;
  const both = { authorization: { kind: "iam" as const }, functionArn, timeoutMs: 30_000 };
  expect(httpApi).toEqual({
    logicalId: "Api",
    id,
    stage: "$default",
    throttling: { ratePerSecond: 10_000, burst: 5_000 },
    routes: [
      {
        ...both,
        logicalId: "Route0",
        key,
        target: { method: "POST", segments: ["devices", "{deviceId}", "commands"] },
        arn: `${arn}/POST/devices/{deviceId}/commands`,
      },
      { ...both, logicalId: "Route1", key: "$default", target: undefined, arn: `${arn}/$default` },
    ],
  } satisfies HttpApiPlan);
});

test("what a template says is in the plan", () => {
  const { httpApi } = plan(
    changed(
      {
        Stage: { DefaultRouteSettings: { ThrottlingBurstLimit: 1000, ThrottlingRateLimit: 500 } },
        Integration: { TimeoutInMillis: 29_000 },
        Route0: { AuthorizationType: "JWT", AuthorizerId: { Ref: "Jwt" }, AuthorizationScopes: ["fleet:push"] },
      },
      { Jwt: authorizer },
    ),
  );
  expect(httpApi?.throttling).toEqual({ ratePerSecond: 500, burst: 1000 });
  expect(httpApi?.routes).toMatchObject([
    {
      timeoutMs: 29_000,
      authorization: {
        kind: "jwt",
        issuer: "https://issuer.example.com/",
        audiences: ["fleet"],
        scopes: ["fleet:push"],
      },
    },
  ]);
});

test("a template without an HTTP API has none", () => {
  expect(plan({ Forward: httpApiResources([]).Forward }).httpApi).toBeUndefined();
});

const stage = httpApiResources([]).Stage;

test.for([
  ["a route without an authorization", { Route0: { AuthorizationType: undefined } }, {}, "Route0 has no authorization"],
  ["a route that is open", { Route0: { AuthorizationType: "NONE" } }, {}, "Route0 has no authorization"],
  ["a Lambda authorizer", { Route0: { AuthorizationType: "CUSTOM" } }, {}, "AuthorizationType is CUSTOM"],
  [
    "a token that is no header",
    {
      Route0: { AuthorizationType: "JWT", AuthorizerId: { Ref: "Jwt" } },
      Jwt: { IdentitySource: ["$request.querystring.t"] },
    },
    { Jwt: authorizer },
    "only the header Authorization is performed",
  ],
  ["a WebSocket API", { Api: { ProtocolType: "WEBSOCKET" } }, {}, "Api.ProtocolType is WEBSOCKET"],
  ["cross-origin answers", { Api: { CorsConfiguration: {} } }, {}, "Api has the property CorsConfiguration"],
  ["an API without its endpoint", { Api: { DisableExecuteApiEndpoint: true } }, {}, "Api.DisableExecuteApiEndpoint"],
  ["a second API", {}, { Other: httpApiResources([]).Api }, "two HTTP APIs"],
  ["a second stage", {}, { Other: stage }, "Api has 2 stages"],
  ["a stage in the path", { Stage: { StageName: "prod" } }, {}, "Stage.StageName is prod"],
  ["a deployment", { Stage: { AutoDeploy: false } }, {}, "Stage.AutoDeploy is false"],
  ["settings of a route", { Stage: { RouteSettings: {} } }, {}, "Stage has the property RouteSettings"],
  ["stage variables", { Stage: { StageVariables: {} } }, {}, "Stage has the property StageVariables"],
  ["an HTTP integration", { Integration: { IntegrationType: "HTTP_PROXY" } }, {}, "IntegrationType is HTTP_PROXY"],
  ["format 1.0", { Integration: { PayloadFormatVersion: "1.0" } }, {}, "PayloadFormatVersion is 1.0"],
  ["a changed request", { Integration: { RequestParameters: {} } }, {}, "has the property RequestParameters"],
  ["a time limit over 30 s", { Integration: { TimeoutInMillis: 30_001 } }, {}, "a whole number from 50 to 30000"],
  ["a route to nowhere", { Route0: { Target: "integrations/abc" } }, {}, "Route0.Target names abc"],
  ["a route without a path", { Route0: { RouteKey: "POST" } }, {}, "Route0.RouteKey is POST"],
  ["a greedy variable in the middle", { Route0: { RouteKey: "GET /{all+}/x" } }, {}, "Route0.RouteKey is GET"],
  ["a deployment of one's own", {}, { Other: { Type: "AWS::ApiGatewayV2::Deployment", Properties: {} } }, "of type"],
] as const)("%s is refused", ([, changes, added, message]) => {
  expect(() => plan(changed(changes, added))).toThrow(message);
});

const route = "arn:aws:execute-api:us-east-1:000000000000:abc/$default/POST/devices/{deviceId}/commands";

test.for([
  [undefined, true],
  [route, true],
  ["arn:aws:execute-api:us-east-1:000000000000:abc/*", true], // a star takes slashes
  ["arn:aws:execute-api:us-east-1:000000000000:abc/*/*/devices/{deviceId}/commands", true], // as CDK writes it
  ["arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/devices/{deviceId}/commands", false],
  ["arn:aws:execute-api:us-east-1:000000000000:abd/*", false],
  ["arn:aws:execute-api:us-east-1:000000000000:ab?/*", true],
  ["arn:aws:execute-api:us-east-1:*:*", true],
  ["arn:aws:execute-api:us-east-1:*", false], // a star stays in its part
  ["arn:aws:execute-api:*:*:abc/*", true],
  ["arn:aws:execute-api:us-east-1:000000000000:abc/.default/*", false], // no regular expression
  ["*", false],
] as const)("a permission for %s lets API Gateway invoke: %s", ([sourceArn, isAllowed]) => {
  const permissions = [{ functionArn: "f", principal: "apigateway.amazonaws.com", sourceArn }];
  expect(mayInvoke({ permissions } as unknown as Plan, "apigateway.amazonaws.com", route, "f")).toBe(isAllowed);
});
