import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateScan,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/lib-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { EngineError } from "../engine-error.ts";
import type { TablePlan } from "../template/plan.ts";
import { Output, temporaryFolder } from "../testing.ts";
import { startDynamoDb } from "./dynamodb.ts";

const letters: TablePlan = {
  logicalId: "Letters",
  name: "acme-letters",
  arn: "arn:aws:dynamodb:us-east-1:000000000000:table/acme-letters",
  attributes: new Map([
    ["id", "S"],
    ["route", "S"],
    ["at", "N"],
  ]),
  key: { partition: "id", sort: undefined },
  indexes: [{ name: "byRoute", key: { partition: "route", sort: "at" }, projection: "ALL", includedAttributes: [] }],
  timeToLiveAttribute: "expiresAt",
};

const messages: TablePlan = {
  ...letters,
  ...{ logicalId: "Messages", name: "acme-messages", indexes: [], timeToLiveAttribute: "until" },
  attributes: new Map([
    ["deviceId", "S"],
    ["position", "S"],
  ]),
  key: { partition: "deviceId", sort: "position" },
};

async function start(folder: string, rest: Partial<Parameters<typeof startDynamoDb>[0]> = {}) {
  const log: string[] = [];
  const options = { dataFolder: folder, tables: [letters, messages], log: (line: string) => log.push(line), ...rest };
  const database = await startDynamoDb(options);
  const client = connect(database.url);
  onTestFinished(async () => {
    client.destroy();
    await database[Symbol.asyncDispose]();
  });
  return { database, client, log };
}

function connect(endpoint: string): DynamoDBDocumentClient {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  return DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: "us-east-1", credentials }));
}

const put = (Item: Record<string, unknown>, TableName = letters.name) => new PutCommand({ TableName, Item });
const get = (id: string) => new GetCommand({ TableName: letters.name, Key: { id } });

test("the SDK finds it by its environment variable, and the template's tables in it", async () => {
  const { database } = await start(temporaryFolder());
  process.env.AWS_ENDPOINT_URL_DYNAMODB = database.url;
  onTestFinished(() => {
    delete process.env.AWS_ENDPOINT_URL_DYNAMODB;
  });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  await using client = disposable(new DynamoDBClient({ region: "us-east-1", credentials }));
  const { TableNames } = await client.send(new ListTablesCommand({}));
  expect(TableNames).toEqual(["acme-letters", "acme-messages"]);
});

function disposable(client: DynamoDBClient): DynamoDBClient & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.destroy() });
}

test("who does not know its path is refused", async () => {
  const { database } = await start(temporaryFolder());
  const { origin } = new URL(database.url);
  for (const path of ["/", "/00000000-0000-4000-8000-000000000000/", "/../"]) {
    const answer = await fetch(`${origin}${path}`, { method: "POST", body: "{}" });
    expect(answer.status).toBe(403);
  }
  await expect(connect(origin).send(get("a"))).rejects.toMatchObject({ name: "AccessDeniedException" });
});

test("items outlive a restart, and so do indexes", async () => {
  const folder = temporaryFolder();
  const first = await start(folder);
  await first.client.send(put({ id: "a", route: "location", at: 2, body: Uint8Array.of(0, 255) }));
  const batch = [1, 3].map((at) => ({ PutRequest: { Item: { id: `b${at}`, route: "location", at } } }));
  await first.client.send(new BatchWriteCommand({ RequestItems: { [letters.name]: batch } }));
  await first.database[Symbol.asyncDispose]();
  const { client } = await start(folder);
  expect((await client.send(get("a"))).Item).toMatchObject({ body: Uint8Array.of(0, 255) });
  const query = new QueryCommand({
    TableName: letters.name,
    IndexName: "byRoute",
    KeyConditionExpression: "route = :route",
    ExpressionAttributeValues: { ":route": "location" },
  });
  expect((await client.send(query)).Items?.map(({ id }) => id)).toEqual(["b1", "a", "b3"]);
});

/** An engine's tables in a process of their own, whose files may have so many kilobytes at most. */
async function startProcess(folder: string, maximumFileKilobytes = "unlimited") {
  const script = join(folder, "process.mjs");
  const module = JSON.stringify(new URL("./dynamodb.ts", import.meta.url).href);
  const tables = `[{ ...${JSON.stringify(plain)}, attributes: new Map([["id", "S"]]) }]`;
  const options = `{ dataFolder: ${JSON.stringify(folder)}, tables: ${tables}, log: console.error }`;
  writeFileSync(
    script,
    `const { startDynamoDb } = await import(${module}); console.log((await startDynamoDb(${options})).url);`,
  );
  const command = `ulimit -S -f ${maximumFileKilobytes}; exec "$0" "$1"`;
  const child = spawn("bash", ["-c", command, process.execPath, script], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = new Output();
  createInterface(child.stderr).on("line", (line) => output.add(line));
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  const client = connect(url);
  onTestFinished(() => client.destroy());
  return { child, client, output };
}

/** Without indexes. */
const plain: TablePlan = { ...letters, attributes: new Map([["id", "S"]]), indexes: [] };

/** Puts items until that is refused, and tells of each that is answered. */
async function fill(client: DynamoDBDocumentClient, name: string, onAnswered: (id: string) => void): Promise<void> {
  for (let index = 0; ; index += 1) {
    const id = `${name}/${index}`;
    await client.send(put({ id, text: "x".repeat(1_000) }));
    onAnswered(id);
  }
}

/** Those of the ids that the table does not have. */
async function missing(ids: ReadonlySet<string>, client: DynamoDBDocumentClient): Promise<string[]> {
  const left = new Set(ids);
  for await (const { Items = [] } of paginateScan({ client }, { TableName: letters.name })) {
    for (const { id } of Items) left.delete(id);
  }
  return [...left];
}

test("what was answered outlives kill -9", async () => {
  const folder = temporaryFolder();
  const { child, client } = await startProcess(folder);
  const answered = new Set<string>();
  const filling = Array.from({ length: 8 }, (_, writer) =>
    fill(client, `${writer}`, (id) => {
      answered.add(id);
      if (answered.size === 500) child.kill("SIGKILL");
    }),
  );
  await Promise.allSettled(filling);
  const again = await start(folder, { tables: [plain] });
  expect(answered.size).toBeGreaterThanOrEqual(500);
  expect(await missing(answered, again.client)).toEqual([]);
});

// On Linux only: prlimit lifts the limit that stands in for a full disk.
test.skipIf(process.platform !== "linux")("what was answered outlives a full disk", async () => {
  const folder = temporaryFolder();
  const { child, client, output } = await startProcess(folder, "1000");
  const answered = new Set<string>();
  const filling = Array.from({ length: 4 }, (_, writer) => fill(client, `${writer}`, (id) => answered.add(id)));
  const outcomes = await Promise.allSettled(filling);
  expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
  await output.until((lines) => lines.some((line) => line.includes("fail and are opened anew: IO error")));
  execFileSync("prlimit", [`--pid=${child.pid}`, "--fsize=unlimited"]);
  let isBack = false;
  while (!isBack)
    isBack = await client.send(put({ id: "back" })).then(
      () => true,
      () => false,
    );
  answered.add("back");
  expect(answered.size).toBeGreaterThan(100);
  expect(await missing(answered, client)).toEqual([]);
  child.kill("SIGKILL");
  await once(child, "exit");
  const again = await start(folder, { tables: [plain] });
  expect(await missing(answered, again.client)).toEqual([]);
});

test("a second engine on the same folder is refused, and the first one goes on", async () => {
  const folder = temporaryFolder();
  const { client } = await start(folder);
  const second = await start(folder).catch((error: unknown) => error);
  expect(second).toBeInstanceOf(EngineError);
  expect(second).toMatchObject({
    code: "ERR_DATA_IN_USE",
    message: expect.stringContaining("cannot be opened; is another engine using them?"),
  });
  await client.send(put({ id: "a" }));
});

test.for([
  [
    { ...letters, key: { partition: "id", sort: "at" } },
    "table acme-letters \\(Letters\\) in .* has key id \\(S\\), index byRoute .*wants key id \\(S\\) and at \\(N\\),",
  ],
  [
    { ...letters, attributes: new Map([...letters.attributes, ["id", "N"]]) },
    "has key id \\(S\\).*wants key id \\(N\\)",
  ],
  [{ ...letters, indexes: [] }, "index byRoute by route \\(S\\) and at \\(N\\) with ALL, and the template wants"],
] as const)("a table that is there with other keys is refused (%#)", async ([changed, message]) => {
  const folder = temporaryFolder();
  const { database } = await start(folder);
  await database[Symbol.asyncDispose]();
  const error = await start(folder, { tables: [changed as TablePlan] }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "ERR_TABLE_CHANGED", message: expect.stringMatching(message) });
  await start(folder); // nothing has happened to it
});

test("a table that the template has in addition is made beside those that are there", async () => {
  const folder = temporaryFolder();
  const { database } = await start(folder, { tables: [letters] });
  await database[Symbol.asyncDispose]();
  const { client } = await start(folder);
  await client.send(put({ deviceId: "d1", position: "1" }, messages.name));
});

test("items whose time is over are removed, by each table's own attribute", async () => {
  let now = 1_000_000_000_000;
  const { database, client } = await start(temporaryFolder(), { now: () => now });
  const writes = Array.from({ length: 250 }, (_, index) => put({ id: `over ${index}`, expiresAt: 1_000_000_100 }));
  await Promise.all(writes.map((write) => client.send(write)));
  await client.send(put({ id: "later", expiresAt: 1_000_000_101 }));
  await client.send(put({ id: "never" }));
  await client.send(put({ id: "text", expiresAt: "1" })); // DynamoDB wants a number
  await client.send(
    put({ deviceId: "d1", position: "1", until: 1_000_000_100, expiresAt: 2_000_000_000 }, messages.name),
  );
  await client.send(put({ deviceId: "d1", position: "2", until: 2_000_000_000, expiresAt: 1 }, messages.name));
  expect(await database.sweep()).toBe(0);
  now = 1_000_000_100_999;
  expect(await database.sweep()).toBe(251);
  const left = await client.send(new ScanCommand({ TableName: letters.name }));
  expect(left.Items?.map(({ id }) => id).sort()).toEqual(["later", "never", "text"]);
  const kept = await client.send(new ScanCommand({ TableName: messages.name }));
  expect(kept.Items).toMatchObject([{ position: "2" }]);
});

test("what is over is removed at the start", async () => {
  const folder = temporaryFolder();
  const { database, client } = await start(folder);
  await client.send(put({ id: "over", expiresAt: 1 }));
  await database[Symbol.asyncDispose]();
  const again = await start(folder);
  await again.database.sweep(); // after the one of the start
  expect((await again.client.send(get("over"))).Item).toBeUndefined();
});

test("a client that goes away in the middle of a request harms nobody", async () => {
  const { database, client, log } = await start(temporaryFolder());
  const gone = new AbortController();
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1_000)) });
  const request = fetch(database.url, { method: "POST", body, duplex: "half", signal: gone.signal } as RequestInit);
  await sleep(50);
  gone.abort();
  await expect(request).rejects.toThrow();
  await client.send(put({ id: "a" }));
  expect(log).toEqual([]);
});

test("what is asked when it ends is answered before", async () => {
  const { database, client } = await start(temporaryFolder());
  await client.send(put({ id: "first" }));
  const writes = Array.from({ length: 20 }, (_, index) => client.send(put({ id: `${index}` })));
  await writes[0];
  const ended = database[Symbol.asyncDispose]();
  const outcomes = await Promise.allSettled(writes);
  await ended;
  expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
});
