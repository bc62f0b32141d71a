import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { pushOperations } from "../../scheme/command/push-operations.ts";
import { isDeviceId, maxDeviceIdLength } from "../../scheme/device-id.ts";
import { maxPayloadBytes } from "../publish/limits.ts";
import { buildOpenApi } from "./openapi.ts";
import { operationDocs } from "./operation-docs.ts";
import { feedOperations } from "./operations.ts";
import { problemCodes, problems } from "./problems.ts";
import { maxExpirySeconds, maxTargets, maxWaitSeconds } from "./request-schemas.ts";
import { startPush, testScheme } from "./testing.ts";

// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape, which the validator knows better than a type.
const document: any = buildOpenApi(testScheme);
const jwt = { issuer: "https://issuer.example.com/", audiences: ["push"], scopes: ["commands"] };

test.for([
  ["signed requests", testScheme],
  ["tokens", { ...testScheme, commands: testScheme.commands && { ...testScheme.commands, authorization: jwt } }],
  ["a scheme without commands", { ...testScheme, commands: undefined }],
] as const)("is an OpenAPI document: %s", async ([, scheme]) => {
  const result = await new Validator().validate(structuredClone(buildOpenApi(scheme)));
  expect(result).toMatchObject({ valid: true });
});

test("every reference leads somewhere", () => {
  const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(new Set(names)).toEqual(new Set(Object.keys(document.components.schemas)));
});

test.for(Object.entries(pushOperations))("has %s", ([operationId, { method, path }]) => {
  const operation = document.paths[path][method.toLowerCase()];
  expect(operation).toMatchObject({ operationId, summary: expect.any(String) });
  const inPath = operation.parameters.filter((parameter: { in: string }) => parameter.in === "path");
  expect(inPath.map(({ name }: { name: string }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
  expect(operation.requestBody !== undefined).toBe(method === "POST");
});

test("has every code, with its status and what to do", () => {
  const listed = new Map<string, Set<string>>();
  for (const item of Object.values(document.paths as Record<string, object>)) {
    for (const operation of Object.values(item)) {
      for (const [status, { content = {} }] of Object.entries<{ content?: object }>(operation.responses)) {
        // biome-ignore lint/suspicious/noExplicitAny: as above.
        const codes = (content as any)["application/problem+json"]?.schema.properties.code.enum ?? [];
        for (const code of codes) listed.set(code, (listed.get(code) ?? new Set()).add(status));
      }
    }
  }
  const expected = problemCodes.map((code) => [code, new Set([String(problems[code].status)])] as const);
  // What only single outcomes have is in the description of all codes, as the others are.
  expect(listed).toEqual(new Map(expected));
  const { code } = document.components.schemas.Problem.properties;
  for (const each of problemCodes) expect(code.description).toContain(`${each}: ${problems[each].remedy}`);
});

test("the limits that people read are those that are checked", () => {
  expect(problems.PAYLOAD_TOO_LARGE.remedy).toContain(maxPayloadBytes.toLocaleString("en"));
  expect(problems.TOO_MANY_TARGETS.remedy).toContain(maxTargets.toLocaleString("en"));
  expect(problems.EXPIRY_INVALID.remedy).toContain(maxExpirySeconds.toLocaleString("en"));
  expect(problems.WAIT_INVALID.remedy).toContain(`0 to ${maxWaitSeconds}`);
  expect(problems.DEVICE_ID_INVALID.remedy).toContain(`1 to ${maxDeviceIdLength}`);
});

test.for(["d1", "a:b_c-D", "", "a/b", "x".repeat(128), "x".repeat(129), "d 1", "é"])(
  "its pattern takes the device id %j as we do",
  (id) => {
    const [{ schema }] = document.paths["/devices/{deviceId}"].get.parameters;
    expect(new RegExp(schema.pattern, "u").test(id)).toBe(isDeviceId(id));
  },
);

test("who may call is the scheme's", () => {
  expect(document.components.securitySchemes.caller).toMatchObject({ "x-amazon-apigateway-authtype": "awsSigv4" });
  const commands = testScheme.commands && { ...testScheme.commands, authorization: jwt };
  expect(buildOpenApi({ ...testScheme, commands })).toMatchObject({
    security: [{ caller: ["commands"] }],
    components: {
      securitySchemes: {
        caller: { openIdConnectUrl: "https://issuer.example.com/.well-known/openid-configuration" },
      },
    },
  });
});

test("of a scheme without commands it has what is left", () => {
  const { paths } = buildOpenApi({ ...testScheme, commands: undefined });
  expect(Object.keys(paths as object)).toEqual(["/publish", "/openapi.json"]);
  const always = Object.entries(operationDocs).flatMap(([id, { isAlwaysThere }]) => (isAlwaysThere ? [id] : []));
  expect(always).toEqual(Object.keys(feedOperations));
});

test("is served", async () => {
  const { ask } = await startPush();
  const { status, json } = await ask({ method: "GET", path: "/openapi.json" });
  expect([status, json]).toEqual([200, document]);
});

const printer = fileURLToPath(new URL("print-openapi.ts", import.meta.url));
const run = promisify(execFile);

test("is printed, for a scheme's file", async () => {
  const { stdout } = await run(process.execPath, [printer]);
  expect(JSON.parse(stdout)).toMatchObject({ openapi: "3.1.0", info: { title: "Commands of sample-dev" } });
  const failed = await run(process.execPath, [printer, "--config", "nowhere.ts"]).catch((error) => error);
  expect([failed.code, failed.stderr]).toEqual([
    2,
    expect.stringMatching(/^nowhere\.ts: .*does not exist \(CONFIG_MISSING\)\n$/),
  ]);
});
