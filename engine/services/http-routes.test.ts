import { expect, test } from "vitest";
import { readTarget } from "../template/http-route-key.ts";
import type { HttpRoutePlan } from "../template/plan.ts";
import { readSegments, selectRoute } from "./http-routes.ts";

const routes = [
  "$default",
  "ANY /pets/{proxy+}",
  "GET /pets/{proxy+}",
  "GET /pets/dog/{id}",
  "GET /pets/dog/1",
  "ANY /pets/dog/1",
  "GET /pets/{kind}/1",
  "POST /devices/{deviceId}/commands",
  "GET /",
].map(
  (key): HttpRoutePlan => ({
    logicalId: key,
    key,
    target: readTarget(key, "Route"),
    authorization: { kind: "iam" },
    functionArn: "",
    timeoutMs: 30_000,
    arn: "",
  }),
);

test.for([
  ["GET", "/pets/dog/1", "GET /pets/dog/1", {}],
  ["POST", "/pets/dog/1", "ANY /pets/dog/1", {}],
  ["GET", "/pets/dog/2", "GET /pets/dog/{id}", { id: "2" }],
  ["GET", "/pets/cat/1", "GET /pets/{kind}/1", { kind: "cat" }],
  ["GET", "/pets/cat/2", "GET /pets/{proxy+}", { proxy: "cat/2" }],
  ["PUT", "/pets/dog/2", "ANY /pets/{proxy+}", { proxy: "dog/2" }],
  ["GET", "/pets", "$default", {}], // a greedy variable stands for something
  ["GET", "/pets/", "$default", {}],
  ["GET", "/", "GET /", {}],
  ["POST", "/devices/d42/commands", "POST /devices/{deviceId}/commands", { deviceId: "d42" }],
  ["GET", "/devices/d42/commands", "$default", {}],
  ["POST", "/devices/d42/commands/", "$default", {}],
  ["POST", "/devices//commands", "$default", {}],
  ["POST", "/DEVICES/d42/commands", "$default", {}],
  ["POST", "/devices/d%3A42/commands", "POST /devices/{deviceId}/commands", { deviceId: "d:42" }],
  ["POST", "/devices/a%2Fb/commands", "POST /devices/{deviceId}/commands", { deviceId: "a/b" }], // one segment
  ["POST", "/devices/%252Fd1/commands", "POST /devices/{deviceId}/commands", { deviceId: "%2Fd1" }], // decoded once
  ["POST", "/devices/../commands", "POST /devices/{deviceId}/commands", { deviceId: ".." }], // not resolved
  ["POST", "/devices/x/../d1/commands", "$default", {}],
  ["POST", "/%64evices/d1/commands", "POST /devices/{deviceId}/commands", { deviceId: "d1" }],
  ["POST", "/devices/__proto__/commands", "POST /devices/{deviceId}/commands", { deviceId: "__proto__" }],
] as const)("%s %s is taken by %s", ([method, path, key, pathParameters]) => {
  const selected = selectRoute(routes, method, readSegments(path) ?? []);
  expect(selected?.route.key).toBe(key);
  expect(selected?.pathParameters).toEqual(pathParameters);
});

test("without $default nothing takes what no route does", () => {
  expect(selectRoute(routes.slice(1), "DELETE", ["nothing"])).toBeUndefined();
});

test.for(["/%", "/%zz", "/%c0%80", "/a/%ff"])("%s is no path", (path) => {
  expect(readSegments(path)).toBeUndefined();
});
