import { join } from "node:path";
import { configFileName } from "../../bridge/broker-files.ts";
import type { BridgeOptions } from "../../bridge/options.ts";
import { type Authority, createAuthority, writeAuthority, writeLeaf } from "./certificates.ts";
import type { IotCore } from "./iot-core.ts";
import { type Clock, realClock } from "./iot-core-limits/clock.ts";
import { Endpoint } from "./iot-core-limits/endpoint.ts";
import type { Shared } from "./iot-core-limits/exchange.ts";
import { type Faults, noFaults } from "./iot-core-limits/faults.ts";
import { documentedLimits, type Limits } from "./iot-core-limits/limits.ts";
import { basicIngestOnly, type Policy } from "./iot-core-limits/policy.ts";
import { type Counts, Tally } from "./iot-core-limits/tally.ts";
import { type Place, startMosquitto, type TestBroker } from "./mosquitto.ts";
import { freePort } from "./ports.ts";

const bridgeName = "edge-bridge";
const readerName = "trestle.engine";
const socketName = "broker.sock";

export interface LimitedIotCoreOptions {
  /** Those that are to differ from the documented ones. */
  readonly limits?: Partial<Limits>;
  readonly faults?: Partial<Faults>;
  /** What bridges may do; publish by Basic Ingest and nothing else by default. */
  readonly policy?: Policy;
  /** For limits and faults; the real one by default. */
  readonly clock?: Clock;
  /** Told of each publish of a bridge: whether it passed, or why it was discarded. Its payload is good for this call. */
  readonly onPublish?: Shared["onPublish"];
}

/**
 * Starts a stand-in of AWS IoT Core's endpoint that applies the documented limits to every client but the reader, in
 * front of a real Mosquitto, which it reaches over a socket of its own. `broker.url` leads past the limits.
 *
 * Not applied: quotas of the account and of a topic (publishes, retained messages), the slow drain of stored sessions,
 * how long sessions last. The rates count in a sliding second, the strictest reading of "per second".
 *
 * @see ./iot-core-limits/limits.ts for each limit and its page
 */
export async function startLimitedIotCore(options: LimitedIotCoreOptions = {}): Promise<LimitedIotCore> {
  const authority = await createAuthority();
  const limits = { ...documentedLimits, ...options.limits };
  const broker = await startMosquitto((place) => configure(place, limits));
  const { certPem: cert, keyPem: key } = await authority.issue({ commonName: "localhost" });
  const reader = await authority.issue({ commonName: readerName });
  const shared: Shared = {
    limits,
    faults: { ...noFaults, ...options.faults },
    policy: options.policy ?? basicIngestOnly,
    clock: options.clock ?? realClock,
    tally: new Tally(),
    onPublish: options.onPublish,
  };
  const port = await freePort();
  const tls = { cert, key, ca: authority.caPem };
  const brokerPath = join(broker.folder, socketName);
  const endpoint = new Endpoint({ port, shared, brokerPath, tls, unlimited: readerName });
  await endpoint.open();
  return new LimitedIotCore({
    ...{ authority, broker, endpoint, shared, port },
    reader: { ca: authority.caPem, cert: reader.certPem, key: reader.keyPem },
  });
}

interface Parts {
  readonly authority: Authority;
  readonly broker: TestBroker;
  readonly endpoint: Endpoint;
  readonly shared: Shared;
  readonly port: number;
  readonly reader: IotCore["reader"];
}

/** A stand-in with limits, whose limits and faults a test changes as it goes. */
export class LimitedIotCore implements IotCore {
  readonly broker: TestBroker;
  /** Where clients connect, the reader among them. */
  readonly url: string;
  readonly port: number;
  readonly reader: IotCore["reader"];
  readonly #authority: Authority;
  readonly #endpoint: Endpoint;
  readonly #shared: Shared;

  constructor({ authority, broker, endpoint, shared, port, reader }: Parts) {
    this.broker = broker;
    this.port = port;
    this.url = `mqtts://127.0.0.1:${port}`;
    this.reader = reader;
    this.#authority = authority;
    this.#endpoint = endpoint;
    this.#shared = shared;
  }

  get counts(): Counts {
    return this.#shared.tally.counts;
  }

  /** Waits until the counts are as wanted. */
  async until(isReached: (counts: Counts) => boolean): Promise<Counts> {
    return await this.#shared.tally.until(isReached);
  }

  /** PEM for a client that the limits and the policy hold for. */
  async credentials(): Promise<IotCore["reader"]> {
    const { certPem: cert, keyPem: key } = await this.#authority.issue({ commonName: bridgeName });
    return { ca: this.#authority.caPem, cert, key };
  }

  async bridgeOptions(folder: string): Promise<BridgeOptions> {
    return {
      endpoint: `127.0.0.1:${this.port}`,
      cafile: await writeAuthority(folder, this.#authority),
      ...(await writeLeaf(folder, "bridge", await this.#authority.issue({ commonName: bridgeName }))),
    };
  }

  /** From now on; `outboundUnacknowledged` holds for new connections, and not above what it was at the start. */
  limit(limits: Partial<Limits>): void {
    this.#shared.limits = { ...this.#shared.limits, ...limits };
  }

  fail(faults: Partial<Faults>): void {
    this.#shared.faults = { ...this.#shared.faults, ...faults };
  }

  /** Ends all limited connections abruptly; clients may come back at once. */
  cut(): void {
    this.#endpoint.cut();
  }

  /** Makes all limited connections half-open: they stay, and nothing comes through them any more. New ones work. */
  freeze(): void {
    this.#endpoint.freeze();
  }

  /** An outage: every connection ends, and new ones are refused until it is back. */
  async goAway(): Promise<void> {
    await this.#endpoint.close();
  }

  async comeBack(): Promise<void> {
    await this.#endpoint.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint.close();
    await this.broker[Symbol.asyncDispose]();
  }
}

/** The identity at the socket is what the endpoint has found in the certificate. */
function configure({ folder, port, user }: Place, limits: Limits): ReadonlyMap<string, string> {
  const inflight = Math.min(limits.outboundUnacknowledged, 65_535);
  const config = [
    `user ${user}`,
    `listener ${port} 127.0.0.1`,
    "set_tcp_nodelay true",
    `listener 0 ${folder}/${socketName}`,
    "allow_anonymous true",
    `acl_file ${folder}/acl`,
    "max_queued_messages 1000000",
    `max_inflight_messages ${inflight}`,
    // Sessions outlive a stop, as they do in IoT Core.
    "persistence true",
    `persistence_location ${folder}`,
    "log_dest stderr",
    "log_type error",
    "log_type warning",
    "log_type notice",
    "log_type information",
  ];
  const acl = [
    `user ${bridgeName}`,
    ...["#", "$aws/#"].map((filter) => `topic readwrite ${filter}`),
    `user ${readerName}`,
    ...["#", "$aws/#"].map((filter) => `topic readwrite ${filter}`),
  ];
  return new Map([
    [configFileName, config.join("\n")],
    ["acl", acl.join("\n")],
  ]);
}
