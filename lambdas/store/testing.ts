import { once } from "node:events";
import type { AddressInfo } from "node:net";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import dynalite from "dynalite";
import { onTestFinished } from "vitest";
import { byDeviceIndex } from "./commands.ts";
import { byRouteIndex } from "./dead-letters.ts";
import { byDueIndex } from "./due-items.ts";
import { translation } from "./tables.ts";

/** The tables of a scheme, for one test. */
export interface TestTables {
  readonly client: DynamoDBDocumentClient;
  /** For clients of the test's own, with any region and credentials. */
  readonly endpoint: string;
  readonly deliveries: string;
  readonly deadLetters: string;
  readonly messages: string;
  readonly commands: string;
}

/** Starts a DynamoDB in memory, on loopback, with the tables of a scheme. It ends with the test. */
export async function startTables(): Promise<TestTables> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = connect(endpoint);
  onTestFinished(async () => {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const names = {
    deliveries: "test-deliveries",
    deadLetters: "test-dead-letters",
    messages: "test-messages",
    commands: "test-commands",
  };
  await Promise.all([
    client.send(table(names.deliveries, { id: "S" }, ["id"])),
    client.send(
      table(names.deadLetters, { id: "S", route: "S", at: "N" }, ["id"], { [byRouteIndex]: ["route", "at"] }),
    ),
    client.send(table(names.messages, { deviceId: "S", position: "S" }, ["deviceId", "position"])),
    client.send(
      table(names.commands, { id: "S", deviceId: "S", due: "S", dueAt: "N" }, ["id"], {
        [byDeviceIndex]: ["deviceId", "id"],
        [byDueIndex]: ["due", "dueAt"],
      }),
    ),
  ]);
  await Promise.all(Object.values(names).map((name) => untilActive(client, name)));
  return { client, endpoint, ...names };
}

/** A table is made behind the answer to who asked for it. */
async function untilActive(client: DynamoDBDocumentClient, name: string): Promise<void> {
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === "ACTIVE") return;
  }
}

/** A client of the document kind for an endpoint on this machine. */
export function connect(endpoint: string): DynamoDBDocumentClient {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  return DynamoDBDocumentClient.from(client, translation);
}

type Key = readonly [partition: string, sort?: string];

function table(
  name: string,
  attributes: Readonly<Record<string, "S" | "N">>,
  key: Key,
  indexes: Readonly<Record<string, Key>> = {},
): CreateTableCommand {
  const input: CreateTableCommandInput = {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: Object.entries(attributes).map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    KeySchema: keySchema(key),
  };
  const GlobalSecondaryIndexes = Object.entries(indexes).map(([IndexName, indexKey]) => ({
    IndexName,
    KeySchema: keySchema(indexKey),
    Projection: { ProjectionType: "ALL" as const },
  }));
  return new CreateTableCommand(GlobalSecondaryIndexes.length === 0 ? input : { ...input, GlobalSecondaryIndexes });
}

function keySchema([partition, sort]: Key) {
  const hash = { AttributeName: partition, KeyType: "HASH" as const };
  return sort === undefined ? [hash] : [hash, { AttributeName: sort, KeyType: "RANGE" as const }];
}
