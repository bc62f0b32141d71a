import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import type { Answer, FlushRequest, InvocationRequest, WorkerSettings } from "./execution-environment.worker.ts";

/** A Lambda function as its template describes it. */
export interface FunctionOptions {
  readonly name: string;
  readonly arn: string;
  /** Folder with the bundle. */
  readonly codeFolder: string;
  /** Module and export, e.g. `index.handler`. */
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** False where somebody waits for each answer: a quick invocation must not wait behind a long one. True by default. */
  readonly isHandedOverAhead?: boolean;
  /** Whether the first environment waits for the first invocation: where another source of the function has one. */
  readonly startsWhenNeeded?: boolean;
  /** A line that the function's code printed. */
  readonly onOutput: (line: string) => void;
}

/** A function that threw, ran out of time or ended its process; `type` is Lambda's word for it. */
export class InvocationError extends Error {
  override readonly name = "InvocationError";
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** Receives what an invocation comes to: the answer's JSON text, or the error. */
export type Settle = (error: InvocationError | undefined, answer: string) => void;

interface Invocation {
  readonly request: InvocationRequest;
  readonly settle: Settle;
}

/**
 * Invocations may be handed over ahead of their turn, as long as they will be begun within this time. Without it a
 * quick function waits for the engine's event loop between any two invocations.
 */
const handOverMs = 5;
const maxHandedOver = 64;
const restartMs = 1000;
/** Lambda's limit for loading a function's code, which the function's own time limit does not include. */
const startMs = 10_000;
/** What a function printed last is waited for; a thread that does not get to it in this time is busy. */
const flushMs = 1000;

/**
 * One execution environment of a function: a worker thread of its own with its own variables, which runs one
 * invocation at a time, as on Lambda. A new thread takes its place when the function runs out of time or crashes.
 */
export class ExecutionEnvironment implements AsyncDisposable {
  /** Resolves when the function's code is loaded; rejects when it cannot be. */
  readonly started: Promise<void>;
  readonly #options: FunctionOptions;
  readonly #start = Promise.withResolvers<void>();
  #worker: Worker;
  #isStarted = false;
  #isDisposed = false;
  /** The first one runs, the others wait for their turn. */
  #invocations: Invocation[] = [];
  #idleSince = 0;
  /** Running average. */
  #durationMs = Number.POSITIVE_INFINITY;
  readonly #timeLimit: NodeJS.Timeout;
  #startLimit: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  readonly #onFree: () => void;
  #idle: (() => void)[] = [];
  #onFlushed: (() => void) | undefined;

  /** @param onFree Called when the environment may have become able to take an invocation. */
  constructor(options: FunctionOptions, onFree: () => void) {
    this.#options = options;
    this.#onFree = onFree;
    this.started = this.#start.promise;
    this.started.catch(() => {});
    this.#timeLimit = setTimeout(() => this.#runOutOfTime(), options.timeoutMs).unref();
    this.#worker = this.#startWorker();
  }

  /** Whether its code is loaded, so that it can take invocations now or after those it has. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  get canTake(): boolean {
    if (!this.#isStarted) return false;
    if (this.#options.isHandedOverAhead === false) return this.#invocations.length === 0;
    const ahead = Math.min(maxHandedOver, Math.floor(handOverMs / this.#durationMs));
    return this.#invocations.length < 1 + ahead;
  }

  /** Milliseconds for which it has had nothing to run; 0 while it runs something or starts. */
  get idleMs(): number {
    return this.#isStarted && this.#invocations.length === 0 ? performance.now() - this.#idleSince : 0;
  }

  /** Resolves when no invocation runs or waits for its turn. */
  whenIdle(): Promise<void> {
    if (this.#invocations.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Begins to measure; the result gives the part of the time since then in which the thread did something, 0 to 1. */
  measureBusyShare(): () => number {
    const { performance } = this.#worker;
    const begin = performance.eventLoopUtilization();
    return () => performance.eventLoopUtilization(begin).utilization;
  }

  /** Runs the function with an event, given as JSON text. */
  invoke(event: string, settle: Settle, requestId: string = randomUUID()): void {
    const request = { requestId, event };
    this.#invocations.push({ request, settle });
    if (this.#invocations.length === 1) this.#timeLimit.refresh();
    this.#worker.postMessage(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#timeLimit);
    clearTimeout(this.#startLimit);
    clearTimeout(this.#restart);
    const isIdle = this.#isStarted && this.#invocations.length === 0;
    this.#failAll(new InvocationError("Runtime.ExitError", "the engine stopped"));
    if (isIdle) await this.#flush();
    await this.#worker.terminate();
  }

  /** Output takes longer than answers: a thread that is ended right after an answer would keep lines to itself. */
  async #flush(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onFlushed = resolve;
    const limit = setTimeout(resolve, flushMs);
    this.#worker.postMessage("flush" satisfies FlushRequest);
    await promise;
    clearTimeout(limit);
  }

  #startWorker(): Worker {
    const { name, arn, codeFolder, handler, timeoutMs, memoryMb, environment } = this.#options;
    const settings: WorkerSettings = { name, arn, codeFolder, handler, timeoutMs, memoryMb };
    const worker = new Worker(new URL("./execution-environment.worker.ts", import.meta.url), {
      workerData: settings,
      env: { ...environment },
      execArgv: (environment.NODE_OPTIONS ?? "").split(" ").filter(Boolean),
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      stdout: true,
      stderr: true,
    });
    for (const stream of [worker.stdout, worker.stderr]) {
      createInterface({ input: stream }).on("line", this.#options.onOutput);
    }
    worker.on("message", (answer: Answer) => {
      // The last words of a thread that was replaced are of an invocation that is settled already.
      if (worker === this.#worker) this.#take(answer);
    });
    worker.on("error", (error) => this.#replaceWorker(worker, new InvocationError("Runtime.ExitError", String(error))));
    worker.on("exit", (code) =>
      this.#replaceWorker(worker, new InvocationError("Runtime.ExitError", `the function exited with status ${code}`)),
    );
    this.#isStarted = false;
    clearTimeout(this.#startLimit);
    this.#startLimit = setTimeout(() => {
      this.#giveUpStart(new InvocationError("Sandbox.Timedout", `its code is not loaded after ${startMs / 1000} s`));
      void worker.terminate();
    }, startMs).unref();
    return worker;
  }

  #take(answer: Answer): void {
    if (answer.kind === "started") {
      // Too late: it is being ended, and another thread is about to take its place.
      if (this.#restart !== undefined) return;
      this.#isStarted = true;
      this.#idleSince = performance.now();
      clearTimeout(this.#startLimit);
      this.#timeLimit.refresh();
      this.#start.resolve();
      this.#onFree();
      return;
    }
    if (answer.kind === "flushed") {
      this.#onFlushed?.();
      return;
    }
    const invocation = this.#invocations.shift();
    if (this.#invocations.length > 0) this.#timeLimit.refresh();
    const { durationMs } = answer;
    this.#durationMs = Number.isFinite(this.#durationMs) ? this.#durationMs * 0.9 + durationMs * 0.1 : durationMs;
    if (answer.kind === "result") invocation?.settle(undefined, answer.json);
    else invocation?.settle(new InvocationError(answer.type, answer.message), "");
    this.#onFree();
    this.#announceIdle();
  }

  #announceIdle(): void {
    if (this.#invocations.length > 0) return;
    this.#idleSince = performance.now();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #runOutOfTime(): void {
    if (this.#invocations.length === 0 || !this.#isStarted) return;
    const seconds = (this.#options.timeoutMs / 1000).toFixed(2);
    const error = new InvocationError("Sandbox.Timedout", `Task timed out after ${seconds} seconds`);
    const worker = this.#worker;
    this.#replaceWorker(worker, error);
    void worker.terminate();
  }

  /** Fails the invocation that ran; those whose turn had not come begin in the next thread. */
  #replaceWorker(worker: Worker, error: InvocationError): void {
    if (worker !== this.#worker || this.#isDisposed) return;
    if (!this.#isStarted) {
      this.#giveUpStart(error);
      return;
    }
    this.#worker = this.#startWorker();
    this.#invocations.shift()?.settle(error, "");
    for (const { request } of this.#invocations) this.#worker.postMessage(request);
    this.#announceIdle();
  }

  /** Code that cannot be loaded is tried again, but not in a loop without a pause. */
  #giveUpStart(error: InvocationError): void {
    // A thread's end follows its error.
    if (this.#restart !== undefined) return;
    clearTimeout(this.#startLimit);
    const named = new InvocationError(error.type, `${this.#options.name} does not start: ${error.message}`);
    this.#start.reject(named);
    this.#failAll(named);
    this.#options.onOutput(named.message);
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#worker = this.#startWorker();
    }, restartMs).unref();
  }

  #failAll(error: InvocationError): void {
    for (const { settle } of this.#invocations.splice(0)) settle(error, "");
    this.#announceIdle();
  }
}
