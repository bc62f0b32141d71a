import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineCounts, ServedHttpApi } from "../../engine/engine.ts";
import { type RunningEngine, runEngine } from "../../engine/run-engine.ts";
import { synthesize } from "../../infra/synthesize.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { type IotCore, startIotCore } from "./iot-core.ts";
import { startGenerated, type TestBroker } from "./mosquitto.ts";
import { passwordOf, writePasswords } from "./passwords.ts";
import { RecordingApi } from "./recording-api.ts";

/** The push endpoint's user at the edge broker. */
const publisher = "trestle.push";

export interface WayOptions {
  readonly configFile: string;
  /** Users of the edge broker, each with its password. */
  readonly devices: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
}

interface Parts extends Pick<WayOptions, "secrets"> {
  readonly scheme: Scheme;
  readonly edge: TestBroker;
  readonly cloud: IotCore;
  readonly api: RecordingApi;
  readonly folder: string;
  /** Ends what is above. */
  readonly stack: AsyncDisposableStack;
}

/**
 * The whole way of a message over real parts: edge broker with the generated configuration, its bridge, IoT Core's
 * stand-in, the engine with the synthesized template and its bundles, an API. `await using` ends it.
 */
export class Way implements AsyncDisposable {
  readonly edge: TestBroker;
  readonly cloud: IotCore;
  readonly api: RecordingApi;
  readonly #scheme: Scheme;
  readonly #folder: string;
  readonly #secrets: WayOptions["secrets"];
  readonly #stack: AsyncDisposableStack;
  #engine: RunningEngine | undefined;

  private constructor({ scheme, edge, cloud, api, folder, secrets, stack }: Parts) {
    this.#scheme = scheme;
    this.edge = edge;
    this.cloud = cloud;
    this.api = api;
    this.#folder = folder;
    this.#secrets = secrets;
    this.#stack = stack;
  }

  /** Resolves when the bridge and the engine are connected. */
  static async open({ configFile, devices, secrets }: WayOptions): Promise<Way> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.adopt(await mkdtemp(join(tmpdir(), "trestle-way-")), (path) => rm(path, { recursive: true }));
    const { scheme } = await synthesize({ configFile, outDir: join(folder, "cdk.out") });
    const api = stack.use(await RecordingApi.start());
    const cloud = stack.use(await startIotCore());
    const edge = stack.use(await startEdge(scheme, devices, cloud));
    await cloud.broker.logged(new RegExp(`New client connected from .* as ${scheme.name}-${scheme.stage}-edge`));
    const way = new Way({ scheme, edge, cloud, api, folder, secrets, stack: stack.move() });
    try {
      await way.startEngine();
      return way;
    } catch (error) {
      await way[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The engine's, since its last start. */
  get counts(): EngineCounts | undefined {
    return this.#engine?.counts;
  }

  /** The push endpoint's. @throws where the scheme has neither commands nor feeds. */
  get pushApi(): ServedHttpApi {
    const served = this.#engine?.httpApi;
    if (served === undefined) throw new Error("no push endpoint is served");
    return served;
  }

  /** @param clockAheadMs How far the queues' clock is ahead: what was put off becomes due. */
  async startEngine(clockAheadMs = 0): Promise<void> {
    this.#engine = await runEngine({
      assemblyFolder: join(this.#folder, "cdk.out"),
      dataFolder: join(this.#folder, "queues"),
      parameters: { ApiUrl: this.api.url, ...this.#brokerUrls() },
      secrets: (name) => this.#secrets[name],
      broker: { url: this.cloud.url, tls: this.cloud.reader },
      queueConditions: { now: () => Date.now() + clockAheadMs },
      log: () => {},
    });
  }

  #brokerUrls(): Readonly<Record<string, string>> {
    if (this.#scheme.brokers.length === 0) return {};
    return { BrokerUrls: this.edge.url.replace("//", `//${publisher}:${passwordOf(publisher)}@`) };
  }

  async stopEngine(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopEngine();
    await this.#stack.disposeAsync();
  }
}

function startEdge(scheme: Scheme, devices: readonly string[], cloud: IotCore): Promise<TestBroker> {
  return startGenerated(scheme, async ({ folder }) => ({
    listener: { identity: { kind: "password", file: await writePasswords(folder, [...devices, publisher]) } },
    services: { publisher },
    bridge: await cloud.bridgeOptions(folder),
  }));
}

/** Options by which one of Mosquitto's clients connects as a device. */
export function asDevice(deviceId: string): readonly string[] {
  return ["-i", deviceId, "-u", deviceId, "-P", passwordOf(deviceId)];
}
