import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LambdaClient, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { expect, onTestFinished, test } from "vitest";
import { Engine } from "../engine/engine.ts";
import { readAssembly } from "../engine/template/assembly.ts";
import { readPlan } from "../engine/template/read-plan.ts";
import { projectRoot } from "../infra/bundle.ts";
import { synthesize } from "../infra/synthesize.ts";
import { startApi } from "../lambdas/forward/test-api.ts";
import { resourceNames } from "../scheme/resource-names.ts";

const configFile = join(projectRoot, "test/dead-letters.config.ts");
const messages = 60;

test("an outage pauses the retry queue, and a probe ends it", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "trestle-circuit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { scheme } = await synthesize({ configFile, outDir: join(folder, "cdk.out") });
  let isDown = true;
  const delivered = new Set<unknown>();
  const api = await startApi((response, { headers }) => {
    if (!isDown) delivered.add(headers["idempotency-key"]);
    response.writeHead(isDown ? 503 : 204).end();
  });
  const plan = readPlan(readAssembly(join(folder, "cdk.out")), { ApiUrl: api.url.origin });
  const lines: string[] = [];
  const engine = await Engine.start(plan, {
    dataFolder: join(folder, "data"),
    minuteMs: 1_000,
    onOutput: (_, line) => lines.push(line),
  });
  onTestFinished(() => engine[Symbol.asyncDispose]());

  const payload = Buffer.from('{"header":{},"body":{}}');
  const devices = Array.from({ length: messages }, (_, index) => `d${index}`);
  await Promise.all(devices.map((device) => engine.accept({ topic: `v1/drivers/${device}/location`, payload })));
  const lambda = new LambdaClient({
    endpoint: engine.services.environment.AWS_ENDPOINT_URL_LAMBDA ?? "",
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  onTestFinished(() => lambda.destroy());
  const stateOf = async (queue: string) => {
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
    return EventSourceMappings.find(({ EventSourceArn }) => EventSourceArn?.endsWith(`:${queue}`))?.State;
  };
  const { freshQueue, retryQueue } = resourceNames(scheme);
  await expect.poll(() => stateOf(retryQueue("location")), { timeout: 10_000 }).toBe("Disabled");
  expect(await stateOf(freshQueue("location"))).toBe("Enabled");
  const line = () => engine.ledger().find(({ account }) => account === scheme.routes.get("location")?.ruleName);
  expect(line()).toMatchObject({ received: messages, pending: messages, delivered: 0 });

  isDown = false;
  await expect.poll(() => delivered.size, { timeout: 40_000, interval: 200 }).toBe(messages);
  expect(await stateOf(retryQueue("location"))).toBe("Enabled");
  expect(lines.find((line) => line.includes("circuit closed"))).toContain('"route":"location"');
  expect(api.requests.length).toBeLessThan(3 * messages);
  await expect.poll(line).toMatchObject({ received: messages, delivered: messages, pending: 0 });
});
