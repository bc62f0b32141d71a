import { type ChildProcess, type ForkOptions, fork, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** A process under measurement, ended by its own id. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  /** The exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(process: ChildProcess) {
    this.process = process;
    this.ended = once(process, "exit").then(([exitCode]) => exitCode);
  }

  static fork(file: URL, args: readonly string[], options: ForkOptions = {}): Child {
    return new Child(fork(file, args, { serialization: "advanced", ...options }));
  }

  static spawn(command: string, args: readonly string[], options: SpawnOptions = {}): Child {
    return new Child(spawn(command, args, { stdio: ["ignore", "ignore", "ignore"], ...options }));
  }

  /** The next message of a kind. @throws when the process ends before. */
  async next<T extends { readonly kind: string }>(kind: T["kind"]): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const take = (message: T) => {
      if (message.kind === kind) resolve(message);
    };
    this.process.on("message", take);
    const fail = () => reject(new Error(`the process ended before it said '${kind}'`));
    this.process.once("exit", fail);
    try {
      return await promise;
    } finally {
      this.process.off("message", take);
      this.process.off("exit", fail);
    }
  }

  /** Processor time that the process has used, in milliseconds; 0 where the system does not tell. */
  get cpuMs(): number {
    try {
      const fields = readFileSync(`/proc/${this.process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      // utime and stime of proc(5), in ticks of 10 ms.
      return 10 * (Number(fields[11]) + Number(fields[12]));
    } catch {
      return 0;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
      const impatience = setTimeout(() => this.process.kill("SIGKILL"), 10_000);
      await this.ended;
      clearTimeout(impatience);
    }
  }
}
