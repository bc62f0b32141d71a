import { decodeFrame } from "../scheme/frame/decode.ts";
import { type LimitedIotCore, startLimitedIotCore } from "../test/support/limited-iot-core.ts";
import { startGenerated, type TestBroker } from "../test/support/mosquitto.ts";
import { RelayProcess } from "../test/support/relay-process.ts";
import scheme from "./relay.config.ts";
import { publish, startPublisher } from "./support/publish.ts";
import { isNamed, median, percentile, printTable } from "./support/table.ts";

export interface RelayBenchOptions {
  readonly rounds: number;
  /** Parts of the names of the ways; none for all. */
  readonly only: readonly string[];
}

/** A way of messages from the edge broker to IoT Core, over one connection. */
interface Uplink {
  readonly name: string;
  /** Options of `bridge -- relay`; undefined for Mosquitto's own bridge. */
  readonly args: readonly string[] | undefined;
  /** Messages a second, evenly, whose delay is measured: those that it can carry. */
  readonly rates: readonly number[];
}

const oneConnection = ["--connections", "1"];

const uplinks: readonly Uplink[] = [
  { name: "Mosquitto's bridge", args: undefined, rates: [20] },
  { name: "relay, a publish each", args: [...oneConnection, "--batch", "1"], rates: [20] },
  { name: "relay", args: oneConnection, rates: [20, 200, 2_000] },
  { name: "relay, 2 s", args: [...oneConnection, "--delay", "2s"], rates: [20, 200] },
];

/** How long as much is offered as the broker takes. */
const loadMs = 10_000;
const loadMessages = 400_000;
/** How long each even rate lasts. */
const evenMs = 5_000;

interface Load {
  readonly messagesPerSecond: number;
  readonly publishesPerSecond: number;
  readonly kilobytesPerSecond: number;
  readonly discarded: number;
}

interface Delay {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Measurement {
  readonly load: Load;
  readonly delays: ReadonlyMap<number, Delay>;
}

/** What one connection carries below IoT Core's quotas, which a stand-in applies, and what a message waits for that. */
export async function benchRelay({ rounds, only }: RelayBenchOptions): Promise<void> {
  const measured = uplinks.filter(({ name }) => isNamed(name, only));
  const results = new Map(measured.map((uplink) => [uplink, [] as Measurement[]]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const uplink of measured) {
      const measurement = { delays: await measureDelays(uplink), load: await measureLoad(uplink) };
      results.get(uplink)?.push(measurement);
      console.log(`round ${round}: ${uplink.name}: ${Math.round(measurement.load.messagesPerSecond)} messages/s`);
    }
  }
  print(results, rounds);
}

/** IoT Core's stand-in, the edge broker, and what is between them. */
class Way implements AsyncDisposable {
  readonly cloud: LimitedIotCore;
  readonly edge: TestBroker;
  /** Milliseconds from the device to IoT Core, of each message that has arrived. */
  readonly delays: number[];
  readonly #parts: AsyncDisposableStack;

  private constructor(cloud: LimitedIotCore, edge: TestBroker, delays: number[], parts: AsyncDisposableStack) {
    this.cloud = cloud;
    this.edge = edge;
    this.delays = delays;
    this.#parts = parts;
  }

  static async open({ args }: Uplink): Promise<Way> {
    await using parts = new AsyncDisposableStack();
    const delays: number[] = [];
    const cloud = parts.use(
      await startLimitedIotCore({
        onPublish: ({ topic, payload }, discard) => {
          if (discard !== undefined) return;
          const now = performance.timeOrigin + performance.now();
          const bodies = topic.endsWith("/frames")
            ? decodeFrame(payload).members.map((each) => each.payload)
            : [payload];
          for (const body of bodies) delays.push(now - sentAt(body));
        },
      }),
    );
    const edge = parts.use(
      await startGenerated(scheme, async ({ folder }) =>
        args === undefined
          ? { bridge: await cloud.bridgeOptions(folder) }
          : { services: { relay: "trestle.relay" }, durability: "every-second" },
      ),
    );
    if (args !== undefined) {
      const configFile = "bench/relay.config.ts";
      parts.use(await RelayProcess.start({ configFile, brokerUrl: edge.url, cloud, args }));
    }
    await cloud.until(({ connects }) => connects > 0);
    return new Way(cloud, edge, delays, parts.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** As the publisher writes it into its messages. */
function sentAt(payload: Uint8Array): number {
  return Number(/"at":([\d.]+)/.exec(Buffer.from(payload).toString("latin1"))?.[1]);
}

async function measureLoad(uplink: Uplink): Promise<Load> {
  await using way = await Way.open(uplink);
  const device = { url: way.edge.url, rate: 0, window: 1_000 };
  await using publisher = startPublisher({ ...device, count: loadMessages });
  await way.cloud.until(({ passed }) => passed > 0);
  const before = { ...way.cloud.counts, messages: way.delays.length };
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, loadMs));
  const seconds = (performance.now() - began) / 1_000;
  const { passed, receivedBytes, discarded } = way.cloud.counts;
  await publisher[Symbol.asyncDispose]();
  return {
    messagesPerSecond: (way.delays.length - before.messages) / seconds,
    publishesPerSecond: (passed - before.passed) / seconds,
    kilobytesPerSecond: (receivedBytes - before.receivedBytes) / 1_024 / seconds,
    discarded: Object.values(discarded).reduce((sum, count) => sum + count, 0),
  };
}

async function measureDelays(uplink: Uplink): Promise<ReadonlyMap<number, Delay>> {
  await using way = await Way.open(uplink);
  const delays = new Map<number, Delay>();
  for (const rate of uplink.rates) {
    const begin = way.delays.length;
    const count = (rate * evenMs) / 1_000;
    await publish({ url: way.edge.url, rate, count, window: 10_000 });
    await way.cloud.until(() => way.delays.length >= begin + count);
    const sorted = Float64Array.from(way.delays.slice(begin)).sort();
    delays.set(rate, { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) });
  }
  return delays;
}

function print(results: ReadonlyMap<Uplink, readonly Measurement[]>, rounds: number): void {
  console.log(
    `\none connection, 250-byte JSON at QoS 1, offered as fast as the broker takes it; median of ${rounds} rounds\n`,
  );
  const middle = (rows: readonly Measurement[], value: (load: Load) => number) =>
    Math.round(median(rows.map(({ load }) => value(load)))).toString();
  printTable(
    ["", "messages/s", "publishes/s (100)", "KB/s (512)", "discarded"],
    [...results].map(([{ name }, rows]) => [
      name,
      middle(rows, (load) => load.messagesPerSecond),
      middle(rows, (load) => load.publishesPerSecond),
      middle(rows, (load) => load.kilobytesPerSecond),
      middle(rows, (load) => load.discarded),
    ]),
  );
  console.log("\nmilliseconds from the device to IoT Core, at an even rate\n");
  printTable(
    ["", "messages/s", "p50", "p99"],
    [...results].flatMap(([{ name, rates }, rows]) =>
      rates.map((rate, index) => {
        const of = (value: (delay: Delay) => number) =>
          median(rows.flatMap(({ delays }) => delays.get(rate) ?? []).map(value)).toFixed(1);
        return [index === 0 ? name : "", `${rate}`, of(({ p50Ms }) => p50Ms), of(({ p99Ms }) => p99Ms)];
      }),
    ),
  );
}
