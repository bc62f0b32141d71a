import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EngineCounts } from "../../engine/engine.ts";
import { projectRoot } from "../../infra/bundle.ts";
import type { Progress } from "./progress.ts";

export interface EngineProcessOptions {
  /** Of `engine/main.ts`. */
  readonly args: readonly string[];
  /** Takes what the engine logs. */
  readonly logFile: string;
  readonly progress: Progress;
}

/** The engine as a process of its own, to be killed and started again on the same queues; it ends with this one. */
export class EngineProcess implements AsyncDisposable {
  readonly #options: EngineProcessOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #isEnding = false;
  /** What it counted when it last said so; starts anew with each process. */
  counts: EngineCounts | undefined;
  /** How often it said that it could not take a message; the broker has that without a PUBACK, and gives it again. */
  refusals = 0;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: "a" });
  }

  /** Resolves when the engine takes messages. One that ends by itself fails the run. */
  async start(furtherArgs: readonly string[] = []): Promise<void> {
    const { args, progress } = this.#options;
    const child = spawn(process.execPath, [join(projectRoot, "engine/main.ts"), "--counts", ...args, ...furtherArgs], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#isEnding = false;
    this.counts = undefined;
    child.stderr.pipe(this.#log, { end: false });
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (!line.startsWith("not taken: ")) return;
      this.refusals += 1;
      progress.advance();
    });
    child.once("error", (error) => progress.fail(error));
    child.once("exit", (code, signal) => {
      if (this.#isEnding) return;
      progress.fail(new Error(`the engine ended by itself, ${signal ?? code}; see ${this.#options.logFile}`));
    });
    const endWithParent = () => child.kill("SIGKILL");
    process.once("exit", endWithParent);
    child.once("close", () => process.off("exit", endWithParent));
    let isRunning = false;
    let before = "";
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "engine: running") isRunning = true;
      else this.counts = JSON.parse(line) as EngineCounts;
      // It counts every second, also where nothing moves.
      if (line !== before) progress.advance();
      before = line;
    });
    await progress.until(() => isRunning);
  }

  /** As a crash or a power cut ends it. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** In order: what runs is awaited. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#log.end();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.#isEnding = true;
    child.kill(signal);
    await once(child, "close");
  }
}
