import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { BridgeError } from "./bridge-error.ts";
import type { MosquittoVersion } from "./options.ts";

/** A Mosquitto that is installed on this machine. */
export interface Mosquitto {
  readonly path: string;
  /** As it calls itself, e.g. `2.0.11`. */
  readonly release: string;
  /** The directives that it reads. */
  readonly version: MosquittoVersion;
}

/**
 * The first Mosquitto on the PATH or where packages put it; undefined where there is none.
 *
 * @throws {BridgeError} `MOSQUITTO_UNSUPPORTED` for a release before 2.0.
 */
export async function findMosquitto(): Promise<Mosquitto | undefined> {
  const path = await findProgram("mosquitto");
  if (path === undefined) return undefined;
  const release = await readRelease(path);
  const [major = 0, minor = 0] = release.split(".").map(Number);
  if (major !== 2) throw new BridgeError("MOSQUITTO_UNSUPPORTED", `${path} is Mosquitto ${release}, 2.0 is needed`);
  return { path, release, version: minor === 0 ? "2.0" : "2.1" };
}

/** The path of a program; distributions keep brokers in folders that are not on everybody's PATH. */
export async function findProgram(name: string): Promise<string | undefined> {
  const onPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of [...onPath, "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

export interface StartOptions {
  /** The program, as `findMosquitto` finds it. */
  readonly path: string;
  /** Has to log `information` to stderr, as the generated one does: that is how the start is noticed. */
  readonly configFile: string;
  /** Takes each line of the broker's log. */
  readonly onLine?: (line: string) => void;
  /** Keeps Ctrl-C at the terminal from reaching the broker, for those who stop it in their own order. */
  readonly isDetached?: boolean;
}

/**
 * Starts Mosquitto and waits until it listens.
 *
 * @throws {BridgeError} `MOSQUITTO_FAILED` with the end of its log.
 */
export async function startBroker(options: StartOptions): Promise<BrokerProcess> {
  const child = spawn(options.path, ["-c", options.configFile], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: options.isDetached ?? false,
  });
  const tail: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (tail.push(line) > 5) tail.shift();
    // It says so when its listeners are open; a connection could be answered by another program on the port.
    if (/mosquitto version \S+ running$/.test(line)) resolve();
    options.onLine?.(line);
  });
  child.once("error", reject);
  // `close` comes after the last line of the log, `exit` may come before.
  child.once("close", (code, signal) => {
    const log = tail.map((line) => `\n  ${line}`).join("");
    reject(
      new BridgeError("MOSQUITTO_FAILED", `Mosquitto ended with ${signal ?? `exit code ${code}`} at its start${log}`),
    );
  });
  await promise;
  return new BrokerProcess(child);
}

/** A running Mosquitto. It ends with this process where that ends in order. */
export class BrokerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = hasEnded(child) ? Promise.resolve() : once(child, "close");
    const endWithParent = () => child.kill("SIGTERM");
    process.once("exit", endWithParent);
    child.once("close", () => process.off("exit", endWithParent));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Settles when the broker has ended, for whatever reason. */
  get closed(): Promise<unknown> {
    return this.#closed;
  }

  /** Ends it in order: it saves its state, which takes time where much is queued. */
  async stop(): Promise<void> {
    // Mosquitto 2.0 forgets a signal that comes between its line `running` and its main loop.
    const again = setInterval(() => this.#child.kill("SIGTERM"), 500);
    this.#child.kill("SIGTERM");
    await this.#closed;
    clearInterval(again);
  }

  /** Ends it as a crash does: nothing is saved. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function readRelease(path: string): Promise<string> {
  // `-h` prints "mosquitto version 2.0.11" first, and ends with a code of its own that says nothing.
  const { stdout } = await promisify(execFile)(path, ["-h"]).catch((error: { stdout?: string }) => error);
  const release = /mosquitto version (\S+)/.exec(stdout ?? "")?.[1];
  if (release === undefined) throw new BridgeError("MOSQUITTO_UNSUPPORTED", `${path} does not say its version`);
  return release;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
