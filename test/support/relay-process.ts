import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../../infra/bundle.ts";
import type { LimitedIotCore } from "./limited-iot-core.ts";
import { freePort } from "./ports.ts";

export interface RelayProcessOptions {
  readonly configFile: string;
  readonly brokerUrl: string;
  readonly cloud: LimitedIotCore;
  /** Further options of `bridge -- relay`. */
  readonly args?: readonly string[];
}

/** The relay as a process of its own, to be killed and started again; `await using` ends it. */
export class RelayProcess implements AsyncDisposable {
  /** What it has logged, all starts of it. */
  readonly lines: string[] = [];
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #httpPort: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, args: readonly string[], httpPort: number) {
    this.#folder = folder;
    this.#args = args;
    this.#httpPort = httpPort;
  }

  /** Resolves when its subscriptions are granted. */
  static async start({ configFile, brokerUrl, cloud, args = [] }: RelayProcessOptions): Promise<RelayProcess> {
    const folder = await mkdtemp(join(tmpdir(), "trestle-relay-"));
    const { endpoint, cafile, certfile, keyfile } = await cloud.bridgeOptions(folder);
    const httpPort = await freePort();
    const all = [
      ...["--config", configFile, "--broker", brokerUrl, "--data", join(folder, "data")],
      ...["--endpoint", endpoint, "--ca", cafile, "--cert", certfile, "--key", keyfile, "--client-id", "edge"],
      ...["--http", `127.0.0.1:${httpPort}`, ...args],
    ];
    const relay = new RelayProcess(folder, all, httpPort);
    await relay.#start(" relay: subscribed");
    return relay;
  }

  /** Resolves when it takes what the broker has kept. */
  async restart(): Promise<void> {
    await this.#start(" relay: takes from ");
  }

  async #start(wanted: string): Promise<void> {
    const child = spawn(process.execPath, [join(projectRoot, "bridge/main.ts"), "relay", ...this.#args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (line) => {
        this.lines.push(line);
        if (line.includes(wanted)) resolve();
      });
    }
    child.once("exit", () => reject(new Error(`the relay has ended: ${this.lines.slice(-5).join("\n")}`)));
    await promise;
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  get(path: "/healthz" | "/metrics"): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#httpPort}${path}`);
  }

  /** A metric's value. */
  async metric(name: string): Promise<number> {
    const text = await (await this.get("/metrics")).text();
    return Number(new RegExp(`^trestle_relay_${name} (.*)$`, "m").exec(text)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
