import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Relay } from "../../bridge/relay/relay.ts";
import type { EngineCounts, ServedHttpApi } from "../../engine/engine.ts";
import { type RunningEngine, runEngine } from "../../engine/run-engine.ts";
import { synthesize } from "../../infra/synthesize.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { type IotCore, startIotCore } from "./iot-core.ts";
import { startGenerated, type TestBroker } from "./mosquitto.ts";
import { passwordOf, writePasswords } from "./passwords.ts";
import { RecordingApi } from "./recording-api.ts";

/** The users of the push endpoint and of the relay at the edge broker. */
const publisher = "trestle.push";
const relay = "trestle.relay";

export interface WayOptions {
  readonly configFile: string;
  /** Users of the edge broker, each with its password. */
  readonly devices: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
  /** What is between the edge broker and IoT Core: its bridge by default. */
  readonly uplink?: "bridge" | "relay";
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
 * The whole way of a message over real parts: edge broker with the generated configuration, its bridge or the relay, IoT Core's
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
  static async open({ configFile, devices, secrets, uplink = "bridge" }: WayOptions): Promise<Way> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.adopt(await mkdtemp(join(tmpdir(), "trestle-way-")), (path) => rm(path, { recursive: true }));
    const { scheme } = await synthesize({ configFile, outDir: join(folder, "cdk.out") });
    const api = stack.use(await RecordingApi.start());
    const cloud = stack.use(await startIotCore());
    const edge = stack.use(await startEdge(scheme, devices, uplink === "bridge" ? cloud : undefined));
    if (uplink === "relay") stack.use(await startRelay(scheme, edge, cloud, join(folder, "relay")));
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

  /** Where the engine keeps what it has: what `operate/` reads. */
  get dataFolder(): string {
    return join(this.#folder, "queues");
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
      dataFolder: this.dataFolder,
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

/** @param bridged To where it has a bridge. */
function startEdge(scheme: Scheme, devices: readonly string[], bridged: IotCore | undefined): Promise<TestBroker> {
  const users = [...devices, publisher, relay];
  return startGenerated(scheme, async ({ folder }) => ({
    listener: { identity: { kind: "password", file: await writePasswords(folder, users) } },
    ...(bridged === undefined
      ? { services: { publisher, relay } }
      : { services: { publisher }, bridge: await bridged.bridgeOptions(folder) }),
  }));
}

async function startRelay(scheme: Scheme, edge: TestBroker, cloud: IotCore, folder: string): Promise<Relay> {
  await mkdir(folder, { recursive: true });
  const { cafile, certfile, keyfile } = await cloud.bridgeOptions(folder);
  const pem = (file: string) => readFile(file, "utf8");
  const tls = { ca: await pem(cafile), cert: await pem(certfile), key: await pem(keyfile) };
  const started = await Relay.start({
    ...{ scheme, dataFolder: folder, log: () => {} },
    local: { url: edge.url, username: relay, password: passwordOf(relay) },
    cloud: { url: cloud.url, clientId: `${scheme.name}-${scheme.stage}-edge`, tls },
  });
  await started.subscribed;
  return started;
}

/** Options by which one of Mosquitto's clients connects as a device. */
export function asDevice(deviceId: string): readonly string[] {
  return ["-i", deviceId, "-u", deviceId, "-P", passwordOf(deviceId)];
}
