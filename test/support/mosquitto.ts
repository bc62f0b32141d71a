import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { brokerFiles, configFileName, writeBrokerFiles } from "../../bridge/broker-files.ts";
import { type BrokerProcess, findMosquitto, startBroker } from "../../bridge/broker-process.ts";
import type { BrokerOptions } from "../../bridge/options.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { freePort } from "./ports.ts";

/** What a configuration has to name and only the test run knows. */
export interface Place {
  /** A folder of its own, for the files, certificates and persistence. */
  readonly folder: string;
  readonly port: number;
  /** The user that the tests run as: Mosquitto, started by root, would become one that cannot write to the folder. */
  readonly user: string;
}

/** Files by name, `mosquitto.conf` among them. */
export type Configure = (place: Place) => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>;

/**
 * Starts the real Mosquitto in a folder of its own; `await using` stops it and removes the folder.
 *
 * The configuration has to log `information` to stderr.
 */
export async function startMosquitto(configure: Configure): Promise<TestBroker> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-mosquitto-"));
  const broker = new TestBroker({ folder, port: await freePort(), user: userInfo().username });
  try {
    await writeBrokerFiles(folder, await configure(broker));
    await broker.start();
    return broker;
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a test wants otherwise than on loopback, without a bridge and with everything in the broker's own folder. */
type Choose = (place: Place) => Partial<BrokerOptions> | Promise<Partial<BrokerOptions>>;

/** Starts it with the configuration that is generated from a scheme. */
export function startGenerated(scheme: Scheme, choose: Choose): Promise<TestBroker> {
  return startMosquitto(async (place) => {
    const { listener, ...rest } = await choose(place);
    return brokerFiles(scheme, {
      ...place,
      version: "2.0",
      listener: { port: place.port, ...listener },
      persistence: { location: place.folder },
      ...rest,
    });
  });
}

/** A Mosquitto that a test can stop, kill and start again on the same port and state. */
export class TestBroker implements AsyncDisposable, Place {
  readonly folder: string;
  readonly port: number;
  readonly user: string;
  /** Its log, all starts of it. */
  readonly lines: string[] = [];
  #process: BrokerProcess | undefined;
  readonly #waiting = new Set<() => void>();

  constructor({ folder, port, user }: Place) {
    this.folder = folder;
    this.port = port;
    this.user = user;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const mosquitto = await findMosquitto();
    if (mosquitto === undefined) throw new Error("no mosquitto is installed; npm test installs it");
    this.#process = await startBroker({
      path: mosquitto.path,
      configFile: join(this.folder, configFileName),
      onLine: (line) => {
        this.lines.push(line);
        for (const look of this.#waiting) look();
      },
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Waits for a line of the log, from the given one on. */
  async logged(pattern: RegExp, from = 0): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const look = () => {
      const line = this.lines.slice(from).find((text) => pattern.test(text));
      if (line !== undefined) resolve(line);
    };
    this.#waiting.add(look);
    look();
    return promise.finally(() => this.#waiting.delete(look));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
