import { expect, test } from "vitest";
import type { HttpAuthorizationPlan } from "../template/plan.ts";
import { httpEvent } from "./http-event.ts";
import { readSegments } from "./http-routes.ts";

const now = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

function eventOf(
  target: string,
  rawHeaders: readonly string[] = [],
  body: string | Buffer = "",
  authorization: HttpAuthorizationPlan = { kind: "iam" },
) {
  const request = { method: "POST", target, httpVersion: "1.1", rawHeaders, sourceIp: "127.0.0.1" };
  const route = { key: "POST /devices/{deviceId}/commands", authorization };
  return httpEvent(request, Buffer.from(body), {
    api: { id: "abc", stage: "$default" },
    accountId: "000000000000",
    selected: { route: route as never, pathParameters: { deviceId: "d42" } },
    segments: readSegments(target.replace(/\?.*/, "")) ?? [],
    requestId: "r1",
    now,
    address: "127.0.0.1:18832",
  });
}

test("an event is API Gateway's, in format 2.0", () => {
  const headers = ["Host", "evil.example", "User-Agent", "curl/8", "Content-Type", "application/json"];
  expect(eventOf("/devices/d42/commands?wait=5&a=1&a=2", headers, '{"n":1.0}')).toEqual({
    version: "2.0",
    routeKey: "POST /devices/{deviceId}/commands",
    rawPath: "/devices/d42/commands",
    rawQueryString: "wait=5&a=1&a=2",
    queryStringParameters: { wait: "5", a: "1,2" },
    headers: {
      host: "127.0.0.1:18832",
      "user-agent": "curl/8",
      "content-type": "application/json",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-port": "18832",
      "x-forwarded-proto": "http",
    },
    pathParameters: { deviceId: "d42" },
    requestContext: {
      accountId: "000000000000",
      apiId: "abc",
      authorizer: {
        iam: expect.objectContaining({ accountId: "000000000000", userArn: "arn:aws:iam::000000000000:user/local" }),
      },
      domainName: "abc.execute-api.us-east-1.amazonaws.com",
      domainPrefix: "abc",
      http: {
        method: "POST",
        path: "/devices/d42/commands",
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: "curl/8",
      },
      requestId: "r1",
      routeKey: "POST /devices/{deviceId}/commands",
      stage: "$default",
      time: "03/Feb/2026:04:05:06 +0000",
      timeEpoch: now,
    },
    body: '{"n":1.0}',
    isBase64Encoded: false,
  });
});

test("fields of one name are joined by commas, and cookies are apart", () => {
  const headers = ["X-A", "1", "x-a", "2", "Cookie", "a=1; b=2", "cookie", "c=3", "X-Forwarded-For", "10.0.0.1"];
  const event = eventOf("/", headers);
  expect(event).toMatchObject({
    cookies: ["a=1", "b=2", "c=3"],
    headers: { "x-a": "1,2", "x-forwarded-for": "10.0.0.1, 127.0.0.1" },
  });
  expect(event).not.toHaveProperty("headers.cookie");
});

test.for([
  ["/devices/d%3A42/commands?q=%20a+b", "/devices/d:42/commands", "q=%20a+b", { q: " a b" }],
  ["/a/../b", "/a/../b", "", undefined], // nothing is resolved
  ["/a%2Fb%252F", "/a/b%2F", "", undefined], // decoded once
  ["/a?b?c=d", "/a", "b?c=d", { "b?c": "d" }],
  ["/a?__proto__=1", "/a", "__proto__=1", { ["__proto__"]: "1" }],
] as const)("%s has the path %s and the query %s", ([target, rawPath, rawQueryString, parameters]) => {
  const event = JSON.parse(JSON.stringify(eventOf(target)));
  expect(event).toMatchObject({ rawPath, rawQueryString, requestContext: { http: { path: rawPath } } });
  expect(event.queryStringParameters).toEqual(parameters);
});

const binary = Buffer.from([0x7b, 0xff, 0x7d]);

test.for([
  ["application/json", "é", "é", false],
  ["application/json; charset=utf-8", "é", "é", false],
  ["Application/JSON", "{}", "{}", false],
  ["text/plain", "x", "x", false],
  ["application/xml", "<a/>", "<a/>", false],
  ["text/plain; charset=iso-8859-1", "x", "eA==", true],
  ["application/problem+json", "{}", "e30=", true],
  ["application/octet-stream", "x", "eA==", true],
  ["application/x-www-form-urlencoded", "x", "eA==", true],
  ["", "x", "eA==", true],
  ["application/json", binary, "e/99", true], // no byte is lost
  ["application/json", "", undefined, false],
] as const)("a body of type %s: %s becomes %s", ([type, sent, body, isBase64Encoded]) => {
  const event = eventOf("/", type === "" ? [] : ["content-type", type], sent);
  expect(event).toMatchObject({ isBase64Encoded, ...(body === undefined ? {} : { body }) });
  if (body === undefined) expect(event).not.toHaveProperty("body");
});

test("behind a JWT authorizer the claims are those of a token that it would take", () => {
  const jwt = { kind: "jwt", issuer: "https://issuer.example.com/", audiences: ["fleet"], scopes: ["a", "b"] } as const;
  expect(eventOf("/", [], "", jwt)).toMatchObject({
    requestContext: {
      authorizer: {
        jwt: { claims: { iss: jwt.issuer, aud: "fleet", sub: "local", scope: "a b" }, scopes: ["a", "b"] },
      },
    },
  });
  expect(eventOf("/", [], "", { ...jwt, scopes: [] })).toMatchObject({
    requestContext: { authorizer: { jwt: { scopes: null } } },
  });
});
