import { request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { Engine, type EngineOptions } from "./engine.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";
import { bundle, httpApiResources, temporaryFolder, writeAssembly } from "./testing.ts";

const code =
  "export const handler = async ({ rawPath, requestContext }) => ({ rawPath, who: requestContext.authorizer });";

async function start(resources: object, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const plan = readPlan(readAssembly(writeAssembly({ Resources: resources }, { "code.zip": bundle(code) })));
  const engine = await Engine.start(plan, { dataFolder: temporaryFolder(), ...options });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  return engine;
}

test("the template's HTTP API is served to who has the token, which outlives the engine", async () => {
  const dataFolder = temporaryFolder();
  const first = await start(httpApiResources(["GET /devices/{deviceId}"]), { dataFolder });
  const { url = "", token = "" } = first.httpApi ?? {};
  const ask = (path: string, bearer = token) => request(url + path, { headers: { authorization: `Bearer ${bearer}` } });
  const answer = await ask("/devices/d42");
  expect(answer.statusCode).toBe(200);
  expect(await answer.body.json()).toEqual({
    rawPath: "/devices/d42",
    who: { iam: expect.objectContaining({ userArn: "arn:aws:iam::000000000000:user/local" }) },
  });
  expect((await ask("/devices/d42", "other")).statusCode).toBe(403);
  expect((await ask("/devices")).statusCode).toBe(404);
  expect(first.httpCounts).toEqual({ requests: 3, invoked: 1, throttled: 0, busy: 0, refused: 2 });
  await first[Symbol.asyncDispose]();
  await expect(ask("/devices/d42")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const second = await start(httpApiResources(["GET /devices/{deviceId}"]), { dataFolder });
  expect(second.httpApi?.token).toBe(token);
});

test("a template without an HTTP API serves none", async () => {
  const { httpApi, httpCounts } = await start({ Forward: httpApiResources([]).Forward });
  expect([httpApi, httpCounts]).toEqual([undefined, undefined]);
});

test("a stage's rate is the template's", async () => {
  const resources = httpApiResources(["$default"]);
  Object.assign(resources.Stage.Properties, {
    DefaultRouteSettings: { ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1 },
  });
  const { httpApi } = await start(resources);
  const headers = { authorization: `Bearer ${httpApi?.token}` };
  const answers = await Promise.all(Array.from({ length: 10 }, () => request(httpApi?.url ?? "", { headers })));
  const statuses = answers.map(({ statusCode }) => statusCode);
  // A second of this machine lets one more through.
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect(statuses).toContain(429);
});

test("a route whose function API Gateway may not invoke is refused at the start", async () => {
  const { Permission: _, ...resources } = httpApiResources(["GET /devices/{deviceId}"]);
  await expect(start(resources)).rejects.toMatchObject({
    code: "ERR_PERMISSION_MISSING",
    message: expect.stringMatching(/^Route0 invokes .* without an AWS::Lambda::Permission for .*\/GET\/devices\//),
  });
});

test("a port that is taken is told before anything is served", async () => {
  const { httpApi } = await start(httpApiResources(["$default"]));
  const { port } = new URL(httpApi?.url ?? "");
  await expect(start(httpApiResources(["$default"]), { httpPort: Number(port) })).rejects.toMatchObject({
    code: "ERR_PORT",
  });
});
