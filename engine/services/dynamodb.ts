import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { EngineError } from "../engine-error.ts";
import type { TablePlan } from "../template/plan.ts";
import type { DynamoDbNews, DynamoDbOrder, DynamoDbSettings } from "./dynamodb.worker.ts";

export interface DynamoDbOptions {
  /** The engine's; the tables are in a folder of their own there. */
  readonly dataFolder: string;
  readonly tables: readonly TablePlan[];
  readonly log: (line: string) => void;
  /** Milliseconds since 1970, by which items end. */
  readonly now?: () => number;
}

/** How often items whose time is over are removed. Readers leave them out in any case, as they have to on AWS. */
const sweepMs = 3_600_000;
/** From a failure of the database, a full disk say, to the next try to open it. */
const restartMs = 1_000;

/**
 * DynamoDB for the template's tables: dynalite in a thread of its own, its LevelDB in the data folder.
 *
 * A write is with the operating system when it is answered, so that it outlives `kill -9` of the process; it is not
 * synced, so that a power cut may lose those of the last seconds. An item and its entries in indexes are written one
 * after the other, not together: where the process is killed between, an index may name an item that is not there.
 *
 * After a write that fails, on a full disk say, LevelDB goes on and may lose what it takes then: all that waits is
 * answered with a failure, and the database opened anew. Clients have seconds without it, as of any service.
 *
 * @throws {EngineError} `ERR_DATA_IN_USE`, or `ERR_TABLE_CHANGED` where a table is there with another key.
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<DynamoDb> {
  const database = new DynamoDb(options);
  try {
    await database.started;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  return database;
}

/** A running DynamoDB. */
export class DynamoDb implements AsyncDisposable {
  /** Resolves when the tables are there; rejects where they cannot be. */
  readonly started: Promise<void>;
  readonly #options: DynamoDbOptions;
  readonly #folder: string;
  // Who knows the path may ask: the port is open to every user of the machine.
  readonly #prefix = `/${randomUUID()}`;
  #port = 0;
  readonly #start = Promise.withResolvers<void>();
  #worker: Worker;
  #ended: Promise<void>;
  readonly #sweeping: ((removed: number) => void)[] = [];
  readonly #sweeps: NodeJS.Timeout;
  readonly #disposal = new AbortController();

  constructor(options: DynamoDbOptions) {
    this.#options = options;
    this.#folder = join(options.dataFolder, "dynamodb");
    mkdirSync(this.#folder, { recursive: true });
    this.started = this.#start.promise;
    this.started.catch(() => {});
    [this.#worker, this.#ended] = this.#startWorker();
    this.#sweeps = setInterval(() => void this.sweep(), sweepMs).unref();
  }

  /** The endpoint, for `AWS_ENDPOINT_URL_DYNAMODB`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#prefix}`;
  }

  /** Removes the items whose time is over, and tells how many they were. */
  async sweep(): Promise<number> {
    const { now = Date.now } = this.#options;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#sweeping.push(resolve);
    this.#order({ kind: "sweep", now: Math.floor(now() / 1000) });
    return await promise;
  }

  /** Resolves when what was asked is answered and the database is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    clearInterval(this.#sweeps);
    this.#order({ kind: "stop" });
    await this.#ended;
  }

  #order(order: DynamoDbOrder): void {
    this.#worker.postMessage(order);
  }

  #startWorker(): [worker: Worker, ended: Promise<void>] {
    const settings: DynamoDbSettings = {
      folder: this.#folder,
      prefix: this.#prefix,
      port: this.#port,
      tables: this.#options.tables,
    };
    const worker = new Worker(new URL("./dynamodb.worker.ts", import.meta.url), { workerData: settings });
    const { log } = this.#options;
    worker.on("message", (news: DynamoDbNews) => this.#take(news));
    worker.on("error", (error) => {
      log(`the tables' thread ended: ${error}`);
      this.#start.reject(error);
    });
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => {
        resolve();
        this.#onExit();
      });
    });
    return [worker, ended];
  }

  #take(news: DynamoDbNews): void {
    switch (news.kind) {
      case "started":
        this.#port = news.port;
        this.#start.resolve();
        void this.sweep();
        return;
      case "refused":
        this.#start.reject(new EngineError(news.code, news.message));
        return;
      case "failed":
        this.#options.log(`the tables in ${this.#folder} fail and are opened anew: ${news.message}`);
        return;
      case "swept":
        this.#sweeping.shift()?.(news.removed);
        return;
      default:
        news satisfies never;
    }
  }

  #onExit(): void {
    for (const resolve of this.#sweeping.splice(0)) resolve(0);
    if (!this.#disposal.signal.aborted) void this.#restart();
  }

  async #restart(): Promise<void> {
    try {
      await sleep(restartMs, undefined, { signal: this.#disposal.signal });
    } catch {
      return; // stopped meanwhile
    }
    [this.#worker, this.#ended] = this.#startWorker();
  }
}
