import { engineOf } from "./subjects/engine.ts";
import type { ApiBehaviour } from "./support/api-server.ts";
import { publish, startPublisher } from "./support/publish.ts";
import type { PublisherOptions } from "./support/publisher.ts";
import { isNamed, median, percentile, printTable } from "./support/table.ts";
import { publishAndWait, startWay } from "./support/way.ts";

export interface IsolationOptions {
  readonly rounds: number;
  /** Parts of the names of the disturbances; none for all. */
  readonly only: readonly string[];
}

/** Messages beside those of the well-behaved devices, and what the API does with them. */
interface Disturbance {
  readonly name: string;
  readonly stream: Pick<PublisherOptions, "rate" | "route" | "fleet">;
  readonly statuses: NonNullable<ApiBehaviour["statuses"]>;
}

const disturbances: readonly Disturbance[] = [
  {
    name: "poison: 10/s answered 400",
    stream: { rate: 10, fleet: { name: "poison", devices: 10 } },
    statuses: [["/poison", 400]],
  },
  {
    name: "one slow device: 2/s held until the time limit",
    stream: { rate: 2, fleet: { name: "slow", devices: 1 } },
    statuses: [["/slow", 0]],
  },
  {
    name: "a failing route: 50/s answered 503",
    stream: { rate: 50, route: "activity", fleet: { name: "other", devices: 100 } },
    statuses: [["/activity", 503]],
  },
];

/** The p50 and p99 in milliseconds of the well-behaved devices. */
interface Measurement {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const wellRate = 300;
const wellMessages = 9_000;
const wellFleet = { name: "well", devices: 100 };
const warmUpMessages = 5_000;
/** The disturbance's messages are known by their numbers, and begin before what is measured. */
const firstOther = 10_000_000;
const leadMs = 5_000;
const patienceMs = 30_000;

const engine = engineOf({ name: "Trestle's engine", configFile: "bench/isolation.config.ts" });

/**
 * What well-behaved devices notice of a disturbance: the same stream of messages beside theirs once properly answered,
 * once not. Both at the same time, each with a broker, an engine and an API of its own: what else the machine does is
 * the same for both then.
 */
export async function benchIsolation({ rounds, only }: IsolationOptions): Promise<void> {
  const obstacle = await engine.prepare();
  if (obstacle !== undefined) throw new Error(obstacle);
  const chosen = disturbances.filter(({ name }) => isNamed(name, only));
  const results = new Map(
    chosen.map((each) => [each, { proper: [] as Measurement[], disturbed: [] as Measurement[] }]),
  );
  for (let round = 1; round <= rounds; round += 1) {
    for (const [disturbance, { proper, disturbed }] of results) {
      const [one, other] = await Promise.all([measure(disturbance, false), measure(disturbance, true)]);
      proper.push(one);
      disturbed.push(other);
      const p99 = `${one.p99Ms.toFixed(2)} ms without, ${other.p99Ms.toFixed(2)} ms with`;
      console.log(`round ${round}: ${disturbance.name}: p99 ${p99}`);
    }
  }
  console.log(`\n${wellRate}/s of ${wellFleet.devices} well-behaved devices; median of ${rounds} rounds\n`);
  printTable(
    ["beside", "p50 ms without", "with", "ratio", "p99 ms without", "with", "ratio"],
    [...results].map(([{ name }, { proper, disturbed }]) => [
      name,
      ...(["p50Ms", "p99Ms"] as const).flatMap((key) => {
        const [without = Number.NaN, with_ = Number.NaN] = [proper, disturbed].map((list) =>
          median(list.map((m) => m[key])),
        );
        return [without.toFixed(2), with_.toFixed(2), (with_ / without).toFixed(2)];
      }),
    ]),
  );
}

async function measure({ stream, statuses }: Disturbance, isDisturbed: boolean): Promise<Measurement> {
  await using way = await startWay(engine);
  const { api, brokerUrl: url } = way;
  const well = { url, fleet: wellFleet };
  await publishAndWait(api, { ...well, count: warmUpMessages, rate: 1_000 }, patienceMs);
  await api.behave(isDisturbed ? { statuses } : {});
  await using _ = startPublisher({ ...stream, url, count: 1e9, firstNumber: firstOther, window: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, leadMs));
  api.begin();
  await publish({ ...well, count: wellMessages, rate: wellRate, window: 10_000 });
  const latencies = await untilWell(() => api.latencies({ to: firstOther }));
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

async function untilWell(read: () => Promise<Float64Array>): Promise<Float64Array> {
  for (const endsAt = performance.now() + patienceMs; performance.now() < endsAt; ) {
    const latencies = await read();
    if (latencies.length >= wellMessages) return latencies;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not all ${wellMessages} messages reached the API`);
}
