import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { defineScheme } from "../../scheme/define-scheme.ts";
import { startTables } from "../store/testing.ts";
import type { Lease, Outcome } from "./deliver.ts";
import { ForwardError } from "./failure.ts";
import { createLease } from "./lease.ts";
import { ingestMessage, type TestPayload } from "./test-message.ts";
import { routeMessage, toRequest } from "./to-request.ts";

const { routes } = defineScheme({
  name: "test",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1, lease: { hours: 2 } },
    item: { topic: "v1/drivers/{deviceId}/items/{item}", qos: 1, lease: { hours: 24 } },
    free: { topic: "v1/drivers/{deviceId}/free", qos: 1 },
  },
});

const delivered: Outcome = { kind: "delivered", strippedHeaders: 1 };
const duplicate: Outcome = { kind: "delivered", strippedHeaders: 0, isDuplicate: true };
const failed: Outcome = { kind: "failed", error: new ForwardError("TIMEOUT", "no answer of the API") };

interface Sending {
  readonly messageId?: string;
  readonly deliveryId?: string;
  readonly route?: string;
  readonly topic?: string;
  readonly body?: unknown;
}

/** A lease, an API whose answers are the test's, and how often that was asked. */
async function setUp(timeoutMs = 10_000) {
  const { client: documents, endpoint, deliveries } = await startTables();
  const client = connect(endpoint);
  const api = { requests: 0, answer: async (): Promise<Outcome> => delivered };
  const send = async () => {
    api.requests += 1;
    return await api.answer();
  };
  /** One execution environment's. */
  const environment = (lease: Lease) => (sending: Sending) => {
    const { messageId = "m1", deliveryId = "sqs-1", body = 1, ...change } = sending;
    const payload: TestPayload = { header: messageId === "" ? {} : { "Idempotency-Key": messageId }, body };
    const routed = routeMessage(ingestMessage(change, payload), routes);
    const apiFields = { fields: [], overridden: new Set<string>(), signingKeys: [], secretNames: new Set<string>() };
    return lease(routed, toRequest(routed, { id: deliveryId, attempt: 1 }, "", apiFields), send);
  };
  const createRun = () => environment(createLease({ client, table: deliveries, timeoutMs }));
  const items = async () => (await documents.send(new ScanCommand({ TableName: deliveries }))).Items ?? [];
  return { run: createRun(), createRun, api, client, items };
}

function connect(endpoint: string): DynamoDBClient {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

/** As DynamoDB does and dynalite does not: tells with a failed condition which item was there. */
function tellExisting(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          if (commandName !== "PutItemCommand" || !(error instanceof Error)) throw error;
          const { TableName, Item } = args.input as { TableName: string; Item: { id: { S: string } } };
          const { Item: existing } = await client.send(new GetItemCommand({ TableName, Key: { id: Item.id } }));
          throw Object.assign(error, { Item: existing });
        }
      },
    { step: "initialize" },
  );
}

const kinds = [
  ["the item with a failed condition", tellExisting],
  ["nothing with a failed condition", () => {}],
] as const;

test.for(kinds)("what the API has is not sent again, where the table tells %s", async ([, prepare]) => {
  const { run, createRun, api, client } = await setUp();
  prepare(client);
  expect(await run({})).toEqual(delivered);
  expect(await run({})).toEqual(duplicate);
  expect(await createRun()({ deliveryId: "sqs-2" })).toEqual(duplicate); // the device has sent it again
  expect(api.requests).toBe(1);
});

test.for(kinds)("of many at one time one is sent, where the table tells %s", async ([, prepare]) => {
  const { createRun, api, client } = await setUp();
  prepare(client);
  const answer = Promise.withResolvers<Outcome>();
  api.answer = () => answer.promise;
  const outcomes = Array.from({ length: 20 }, (_, index) => createRun()({ deliveryId: `sqs-${index}` }));
  const settled: Outcome[] = [];
  await new Promise<void>((resolve) => {
    for (const outcome of outcomes) void outcome.then((each) => settled.push(each) === 19 && resolve());
  });
  expect(settled).toEqual(Array(19).fill({ kind: "busy" }));
  answer.resolve(delivered);
  expect(await Promise.all(outcomes)).toContainEqual(delivered);
  expect(api.requests).toBe(1);
  expect(await createRun()({})).toEqual(duplicate);
});

test("a failed delivery gives the lease back", async () => {
  const { run, api, items } = await setUp();
  api.answer = async () => failed;
  expect(await run({})).toBe(failed);
  expect(await items()).toEqual([]);
  api.answer = async () => delivered;
  expect(await run({})).toEqual(delivered);
  expect(api.requests).toBe(2);
});

test.for(kinds)(
  "an id that comes again with another body is refused, where the table tells %s",
  async ([, prepare]) => {
    const { run, api, client } = await setUp();
    prepare(client);
    expect(await run({ body: 1 })).toEqual(delivered);
    expect(await run({ body: 2 })).toMatchObject({ kind: "refused", error: { code: "MESSAGE_ID_REUSED" } });
    expect(await run({ body: 1 })).toEqual(duplicate);
    expect(api.requests).toBe(1);
  },
);

test("an id that comes again on another topic of its route is refused, and not taken for a duplicate", async () => {
  const { run } = await setUp();
  expect(await run({ route: "item", topic: "v1/drivers/d42/items/one" })).toEqual(delivered);
  const second = await run({ route: "item", topic: "v1/drivers/d42/items/two" });
  expect(second).toMatchObject({ kind: "refused", error: { code: "MESSAGE_ID_REUSED" } });
});

test.for([
  ["another id", { messageId: "m2" }],
  ["another device", { topic: "v1/drivers/d43/location" }],
  ["another route", { route: "item", topic: "v1/drivers/d42/items/one" }],
] as const)("%s is another message", async ([, change]) => {
  const { run, api } = await setUp();
  await run({});
  expect(await run(change)).toEqual(delivered);
  expect(api.requests).toBe(2);
});

test("identical messages without an id are different messages, and each is sent once", async () => {
  const { run, api } = await setUp();
  const heartbeat = { messageId: "" };
  for (const deliveryId of ["sqs-1", "sqs-2", "sqs-3"])
    expect(await run({ ...heartbeat, deliveryId })).toEqual(delivered);
  expect(await run({ ...heartbeat, deliveryId: "sqs-2" })).toEqual(duplicate);
  expect(api.requests).toBe(3);
});

test("a route without a lease leaves nothing behind", async () => {
  const { run, api, items } = await setUp();
  const free = { route: "free", topic: "v1/drivers/d42/free" };
  expect([await run(free), await run(free)]).toEqual([delivered, delivered]);
  expect(api.requests).toBe(2);
  expect(await items()).toEqual([]);
});

test("the table forgets a message after its route's hours", async () => {
  const { run, items } = await setUp();
  const before = Math.floor(Date.now() / 1000);
  await run({});
  await run({ route: "item", topic: "v1/drivers/d42/items/one" });
  const ends = (await items()).map(({ expiresAt }) => Math.round((Number(expiresAt) - before) / 3_600));
  expect(ends.sort((one, other) => one - other)).toEqual([2, 24]);
  for (const { id, data } of await items()) {
    expect(id).toMatch(/^lease#[\w+/=]{44}$/);
    expect(data).toBeUndefined(); // nothing of the message
  }
});

test("the lease of one who does not come back ends", async () => {
  const { run, createRun, api } = await setUp(-9_990); // 10 ms with the ten seconds to settle
  api.answer = () => new Promise(() => {}); // the process is killed
  void run({});
  let outcome: Outcome = { kind: "busy" };
  const second = createRun();
  await expect.poll(() => api.requests).toBe(1);
  api.answer = async () => delivered;
  while (outcome.kind === "busy") outcome = await second({});
  expect(outcome).toEqual(delivered);
});

test("without the table nothing is sent, and the message tried again later", async () => {
  const { api } = await setUp();
  const nowhere = connect("http://127.0.0.1:9"); // the discard port, where nothing listens
  const lease = createLease({ client: nowhere, table: "nosuch", timeoutMs: 10_000 });
  const routed = routeMessage(ingestMessage(), routes);
  const apiFields = { fields: [], overridden: new Set<string>(), signingKeys: [], secretNames: new Set<string>() };
  const outcome = await lease(routed, toRequest(routed, { id: "sqs-1", attempt: 1 }, "", apiFields), () =>
    api.answer(),
  );
  expect(outcome).toMatchObject({
    kind: "failed",
    error: {
      code: "INTERNAL",
      message: expect.stringContaining("the lease cannot be had: Error: connect ECONNREFUSED"),
    },
  });
});

test.for([
  ["delivered", delivered],
  ["failed", failed],
] as const)("what is %s stays so where the table fails afterwards", async ([, answer]) => {
  const { run, api, client } = await setUp();
  api.answer = async () => {
    client.middlewareStack.add(() => async () => Promise.reject(new Error("the table is gone")), {
      step: "initialize",
    });
    return answer;
  };
  expect(await run({})).toBe(answer);
});
