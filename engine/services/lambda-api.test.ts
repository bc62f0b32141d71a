import { rmSync, writeFileSync } from "node:fs";
import {
  GetEventSourceMappingCommand,
  GetFunctionCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
  type UpdateEventSourceMappingCommandInput,
} from "@aws-sdk/client-lambda";
import { expect, onTestFinished, test } from "vitest";
import type { MappingPlan } from "../template/plan.ts";
import { functionOf, temporaryFolder } from "../testing.ts";
import { EventSourceMapping } from "./event-source-mapping.ts";
import { lambdaApi } from "./lambda-api.ts";
import { ManagedMapping } from "./managed-mapping.ts";
import { MappingStates } from "./mapping-states.ts";
import { Queue } from "./queue.ts";
import { QueueStore } from "./queue-store.ts";
import { ServiceEndpoint } from "./service-endpoint.ts";

const arnOf = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:forward";

function planOf(name: string, rest: Partial<MappingPlan> = {}): MappingPlan {
  return {
    logicalId: name,
    uuid: `00000000-0000-8000-8000-${name.padStart(12, "0")}`,
    arn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${name}`,
    isEnabled: true,
    queueArn: arnOf(name),
    functionArn,
    batchSize: 10,
    maximumConcurrency: undefined,
    reportsBatchItemFailures: true,
    ...rest,
  };
}

/** Prints each body; one that says `wait` ends when the file of that name is gone. */
const code = `
  import { existsSync, watch } from "node:fs";
  import { dirname } from "node:path";
  export const handler = async ({ Records }) => {
    for (const { body } of Records) {
      console.log(body);
      if (!body.startsWith("/")) continue;
      await new Promise((resolve) => {
        const watcher = watch(dirname(body), () => look());
        const look = () => { if (!existsSync(body)) { watcher.close(); resolve(); } };
        look();
      });
    }
  };`;

/** Queues with a mapping each, and a client of the API to these. */
async function start(plans: readonly MappingPlan[], dataFolder = temporaryFolder()) {
  const store = new QueueStore(temporaryFolder());
  const options = functionOf(code);
  const states = new MappingStates(dataFolder);
  const queues: Queue[] = [];
  const sources: EventSourceMapping[] = [];
  const managed = plans.map((plan) => {
    const limits = { visibilityTimeoutMs: 60_000, retentionMs: 86_400_000, maximumMessageBytes: 1_048_576 };
    const queue = new Queue({ name: plan.logicalId, arn: plan.queueArn, ...limits, redrive: undefined }, store);
    const { isEnabled } = states.get(plan);
    const mapping = { ...plan, isEnabled, maximumConcurrency: 2, region: "us-east-1", tell: () => {} };
    const source = new EventSourceMapping(queue, options, mapping);
    queues.push(queue);
    sources.push(source);
    return new ManagedMapping(plan, source, states, (maximum) => maximum ?? 2);
  });
  const endpoint = await ServiceEndpoint.start({ lambda: lambdaApi(managed) });
  const client = new LambdaClient({
    endpoint: endpoint.url("lambda"),
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await endpoint[Symbol.asyncDispose]();
    await Promise.all(sources.map((source) => source[Symbol.asyncDispose]()));
    for (const queue of queues) queue[Symbol.dispose]();
    store[Symbol.dispose]();
  });
  const update = (change: Omit<UpdateEventSourceMappingCommandInput, "UUID">, UUID = plans[0]?.uuid ?? "") =>
    client.send(new UpdateEventSourceMappingCommand({ UUID, ...change }));
  const state = async (UUID = plans[0]?.uuid ?? "") =>
    (await client.send(new GetEventSourceMappingCommand({ UUID }))).State;
  return { client, update, state, queue: queues[0] as Queue, output: options.output };
}

test("a mapping is described as Lambda does", async () => {
  const plan = planOf("1", { maximumConcurrency: 5 });
  const { client } = await start([plan]);
  expect(await client.send(new GetEventSourceMappingCommand({ UUID: plan.uuid }))).toMatchObject({
    UUID: plan.uuid,
    EventSourceMappingArn: plan.arn,
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 0,
    EventSourceArn: plan.queueArn,
    FunctionArn: functionArn,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    LastModified: expect.any(Date),
    State: "Enabled",
    ScalingConfig: { MaximumConcurrency: 5 },
  });
});

test.for([
  [{}, ["1", "2", "3"]],
  [{ FunctionName: "forward" }, ["1", "2"]],
  [{ FunctionName: functionArn }, ["1", "2"]],
  [{ FunctionName: "000000000000:function:forward" }, ["1", "2"]],
  [{ FunctionName: "ward" }, []],
  [{ EventSourceArn: arnOf("2") }, ["2"]],
  [{ EventSourceArn: arnOf("2"), FunctionName: "other" }, []],
] as const)("the mappings %j are %j", async ([filter, names]) => {
  const other = planOf("3", { functionArn: functionArn.replace("forward", "other") });
  const { client } = await start([planOf("1"), planOf("2"), other]);
  const { EventSourceMappings = [] } = await client.send(new ListEventSourceMappingsCommand(filter));
  expect(EventSourceMappings.map(({ EventSourceArn }) => EventSourceArn)).toEqual(names.map(arnOf));
});

test("a list comes in pages", async () => {
  const { client } = await start([planOf("1"), planOf("2"), planOf("3")]);
  const first = await client.send(new ListEventSourceMappingsCommand({ MaxItems: 2 }));
  const second = await client.send(new ListEventSourceMappingsCommand({ MaxItems: 2, Marker: first.NextMarker }));
  expect([first.EventSourceMappings?.length, second.EventSourceMappings?.length]).toEqual([2, 1]);
  expect(second.NextMarker).toBeUndefined();
});

test("a disabled mapping receives nothing until it is enabled", async () => {
  const { update, state, queue, output } = await start([planOf("1")]);
  expect((await update({ Enabled: false })).State).toBe("Disabling");
  expect(await state()).toBe("Disabled");
  await queue.send("now");
  expect(output.lines).toEqual([]);
  expect((await update({ Enabled: true })).State).toBe("Enabling");
  expect(await state()).toBe("Enabled");
  await output.until((lines) => lines.includes("now"));
});

test("what runs when a mapping is disabled ends, and until then the mapping cannot be changed", async () => {
  const { update, state, queue, output } = await start([planOf("1")]);
  const gate = `${temporaryFolder()}/gate`;
  writeFileSync(gate, "");
  await queue.send(gate);
  await output.until((lines) => lines.includes(gate));
  await update({ Enabled: false });
  expect(await state()).toBe("Disabling");
  await expect(update({ Enabled: true })).rejects.toMatchObject({
    name: "ResourceInUseException",
    message: expect.stringContaining("because it is in use"),
  });
  rmSync(gate);
  await expect.poll(() => state()).toBe("Disabled");
  expect(queue.counts.deleted).toBe(1);
});

test("a change outlives the engine, until the template says something else", async () => {
  const dataFolder = temporaryFolder();
  const plan = planOf("1", { maximumConcurrency: 5 });
  const before = await start([plan], dataFolder);
  await before.update({ Enabled: false, ScalingConfig: { MaximumConcurrency: 3 } });
  const states = () => new MappingStates(dataFolder);
  expect(states().get(plan)).toMatchObject({ isEnabled: false, maximumConcurrency: 3 });
  const after = await start([plan], dataFolder);
  expect(await after.state()).toBe("Disabled");
  expect(states().get({ ...plan, maximumConcurrency: 6 })).toMatchObject({ isEnabled: true, maximumConcurrency: 6 });
  await before.update({ ScalingConfig: {} });
  expect(states().get(plan).maximumConcurrency).toBeUndefined();
});

test.for([
  [{ BatchSize: 5 }, "InvalidParameterValueException", "a change of BatchSize is not performed here"],
  [
    { ScalingConfig: { MaximumConcurrency: 1 } },
    "ValidationException",
    "1 validation error detected: Value '1' at 'scalingConfig.maximumConcurrency' failed to satisfy constraint: Member must have value greater than or equal to 2",
  ],
] as const)("the change %j is refused and nothing is changed", async ([change, name, message]) => {
  const { update, state } = await start([planOf("1")]);
  await expect(update({ Enabled: false, ...change })).rejects.toMatchObject({ name, message });
  expect(await state()).toBe("Enabled");
});

test("a mapping that there is not is refused as on AWS", async () => {
  const { update } = await start([planOf("1")]);
  await expect(update({ Enabled: false }, "nobody")).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
    $metadata: { httpStatusCode: 404 },
  });
});

test("another operation is refused", async () => {
  const { client } = await start([]);
  await expect(client.send(new GetFunctionCommand({ FunctionName: "forward" }))).rejects.toMatchObject({
    name: "UnknownOperationException",
    message: "GET /2015-03-31/functions/forward is not performed here",
  });
});
