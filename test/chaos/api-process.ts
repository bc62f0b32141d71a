import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Behaviour } from "./api/behaviour.ts";
import type { ApiCommand, ApiMessage, ApiOptions } from "./api/protocol.ts";
import type { Progress } from "./progress.ts";
import type { Tally } from "./tally.ts";

const entry = new URL("./api/main.ts", import.meta.url);

/** The API as a process of its own, to be killed and started again on the same port; what it takes is tallied here. */
export class ApiProcess implements AsyncDisposable {
  readonly #options: ApiOptions;
  readonly #tally: Tally;
  readonly #progress: Progress;
  #child: ChildProcess | undefined;
  /** Processes that were told to end. */
  readonly #ending = new WeakSet<ChildProcess>();
  /** Messages of the process by the numbers of its requests, whose answers are not known to be out. */
  #open = new Map<number, number>();
  /** Requests that it failed and did not take. */
  refused = 0;

  constructor(options: ApiOptions, tally: Tally, progress: Progress) {
    this.#options = options;
    this.#tally = tally;
    this.#progress = progress;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.port}`;
  }

  /** Resolves when it listens and answers properly. One that ends by itself fails the run. */
  async start(): Promise<void> {
    const child = fork(entry, [JSON.stringify(this.#options)]);
    this.#child = child;
    const said = this.#next("listening");
    child.on("message", (message: ApiMessage) => this.#note(message));
    child.once("error", (error) => this.#progress.fail(error));
    child.once("exit", (code, signal) => {
      if (!this.#ending.has(child)) this.#progress.fail(new Error(`the API ended by itself, ${signal ?? code}`));
    });
    await said;
  }

  /** Resolves when it does so with every request that comes from then on. */
  async behave(behaviour: Behaviour): Promise<void> {
    const said = this.#next("behaving");
    this.#child?.send({ kind: "behave", behaviour } satisfies ApiCommand);
    await said;
  }

  /** Ends it with `kill -9`. Resolves when all that it had told is tallied. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
    for (const messageNumber of this.#open.values()) this.#tally.doubt(messageNumber, "apiKilled");
    this.#open = new Map();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.#ending.has(child)) return;
    this.#ending.add(child);
    // The pipe is read to its end, which may be after the process has gone.
    const gone = child.connected ? once(child, "disconnect") : undefined;
    child.kill(signal);
    await gone;
  }

  async #next(kind: ApiMessage["kind"]): Promise<void> {
    let isSaid = false;
    const look = (message: ApiMessage) => {
      isSaid ||= message.kind === kind;
      this.#progress.advance();
    };
    // `start` calls this in the turn in which it makes the process.
    this.#child?.on("message", look);
    await this.#progress.until(() => isSaid);
    this.#child?.off("message", look);
  }

  #note(message: ApiMessage): void {
    if (message.kind !== "news") return;
    for (const { request, messageNumber, idempotencyKey, doubt } of message.taken) {
      this.#tally.receive({ messageNumber, idempotencyKey });
      if (doubt === undefined) this.#open.set(request, messageNumber);
      else this.#tally.doubt(messageNumber, doubt);
    }
    for (const { request, messageNumber, doubt } of message.ended) {
      this.#open.delete(request);
      if (doubt !== undefined) this.#tally.doubt(messageNumber, doubt);
    }
    for (const line of message.unexpected) this.#tally.noteUnexpected(line);
    this.refused += message.refused;
    this.#progress.advance();
  }
}
