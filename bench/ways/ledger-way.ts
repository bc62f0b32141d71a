import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDynamoDb } from "../../engine/services/dynamodb.ts";
import type { TablePlan } from "../../engine/template/plan.ts";
import { byDeviceIndex } from "../../lambdas/store/commands.ts";
import { byDueIndex } from "../../lambdas/store/due-items.ts";
import { AskerProcess } from "./asker-process.ts";
import { localWays } from "./local-ways.ts";
import type { Asker, Fleet, WayToAsk } from "./way-to-ask.ts";

/** The commands' table, as the template has it. */
const table: TablePlan = {
  ...{ logicalId: "Commands", name: "bench-commands", arn: "arn:aws:dynamodb:us-east-1:000000000000:table/bench" },
  attributes: new Map([
    ["id", "S"],
    ["deviceId", "S"],
    ["due", "S"],
    ["dueAt", "N"],
  ]),
  key: { partition: "id", sort: undefined },
  indexes: [
    {
      ...{ name: byDeviceIndex, key: { partition: "deviceId", sort: "id" } },
      ...{ projection: "ALL", includedAttributes: [] },
    },
    {
      ...{ name: byDueIndex, key: { partition: "due", sort: "dueAt" } },
      ...{ projection: "INCLUDE", includedAttributes: ["deviceId", "kind", "state"] },
    },
  ],
  timeToLiveAttribute: "expiresAt",
};

const [byHand] = localWays;

/** What the push endpoint does, with the ledger in a DynamoDB of this machine, which is dynalite in this process. */
export const ledgerWay: WayToAsk = {
  name: "commands with the ledger",
  protocolVersion: 4,
  isForMany: true,
  ...(byHand === undefined ? {} : { reference: byHand }),
  async start(fleet: Fleet): Promise<Asker> {
    await using stack = new AsyncDisposableStack();
    const dataFolder = mkdtempSync(join(tmpdir(), "trestle-bench-ledger-"));
    stack.defer(() => rmSync(dataFolder, { recursive: true, force: true }));
    const database = stack.use(await startDynamoDb({ dataFolder, tables: [table], log: console.error }));
    const environment = {
      ...{ AWS_ENDPOINT_URL_DYNAMODB: database.url, AWS_REGION: "us-east-1" },
      ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    };
    const options = { ...fleet, kind: "ledger", protocolVersion: 4, table: table.name } as const;
    const asker = stack.use(await AskerProcess.start(options, environment));
    const parts = stack.move();
    return {
      askAll: () => asker.askAll(),
      askInTurn: (count) => asker.askInTurn(count),
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  },
};
