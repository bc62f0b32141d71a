import { parentPort, workerData } from "node:worker_threads";
import { EngineError, type EngineErrorCode } from "../engine-error.ts";
import type { TablePlan } from "../template/plan.ts";
import { DynamoDbServer } from "./dynamodb-server.ts";
import { sweepTable } from "./dynamodb-sweep.ts";
import { makeTables } from "./dynamodb-tables.ts";

/** What the thread needs to know. */
export interface DynamoDbSettings {
  readonly folder: string;
  readonly prefix: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly tables: readonly TablePlan[];
}

/** What the thread is asked for. */
export type DynamoDbOrder =
  /** Remove what is over at a time in seconds since 1970. */
  { readonly kind: "sweep"; readonly now: number } | { readonly kind: "stop" };

/** What it says. */
export type DynamoDbNews =
  | { readonly kind: "started"; readonly port: number }
  /** The template is not one that it can serve. */
  | { readonly kind: "refused"; readonly code: EngineErrorCode; readonly message: string }
  /** The database fails: the thread ends, for another one to open it anew. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "swept"; readonly removed: number };

const { folder, prefix, port, tables } = workerData as DynamoDbSettings;
const parent = parentPort;
if (parent === null) throw new Error("this module runs in a worker thread");
const say = (news: DynamoDbNews) => parent.postMessage(news);

const server = await DynamoDbServer.start({ folder, prefix, port });
let isStarted = false;
let isEnding = false;
let sweeping = Promise.resolve();

// dynalite throws what its database refuses, so that nobody can tell whose request it was.
process.on("uncaughtException", (error) => {
  server.fail(error);
  if (!isStarted || isEnding) return;
  say({ kind: "failed", message: error.message });
  void end();
});

parent.on("message", (order: DynamoDbOrder) => {
  if (order.kind === "stop") void end();
  else sweeping = sweeping.then(() => sweep(order.now));
});

try {
  await makeTables(server.call, tables, folder);
  isStarted = true;
  say({ kind: "started", port: server.port });
} catch (error) {
  const { code, message } = error instanceof EngineError ? error : notOpened(error);
  say({ kind: "refused", code, message });
  void end();
}

function notOpened(cause: unknown): EngineError {
  const message = `the tables in ${folder} cannot be opened; is another engine using them? (${cause})`;
  return new EngineError("ERR_DATA_IN_USE", message, { cause });
}

async function sweep(now: number): Promise<void> {
  let removed = 0;
  try {
    for (const table of tables) removed += await sweepTable(server.call, table, now);
  } catch {
    // The database has failed, which is told, or the thread ends: the next sweep does the rest.
  }
  say({ kind: "swept", removed });
}

async function end(): Promise<void> {
  isEnding = true;
  await server[Symbol.asyncDispose]().catch(() => {});
  process.exit();
}
