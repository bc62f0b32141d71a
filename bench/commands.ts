import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { freePort } from "../test/support/ports.ts";
import type { DevicesOptions } from "./peers/answering-devices.ts";
import { startBenchBroker } from "./support/broker.ts";
import { Child } from "./support/child.ts";
import { isNamed, median, percentile, printTable } from "./support/table.ts";
import { ledgerWay } from "./ways/ledger-way.ts";
import { localWays } from "./ways/local-ways.ts";
import type { Asker, Fleet, WayToAsk } from "./ways/way-to-ask.ts";

export interface CommandsOptions {
  readonly rounds: number;
  /** Parts of the names of those to be measured; none for all. */
  readonly only: readonly string[];
}

const waysToAsk: readonly WayToAsk[] = [...localWays, ledgerWay];

const devices = 1_000;
const deviceProcesses = 2;
/** In each round: so many round trips in turn, and all devices at once so many times. */
const turnsPerRound = 500;
const allPerRound = 3;
/** Before the first round, for each way: code is compiled. */
const warmUpTurns = 500;

interface Measurement {
  /** Milliseconds until 1,000 devices that were asked at once have all answered. */
  readonly allMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Requests to devices and their answers: all devices at once, and one round trip after the other. */
export async function benchCommands({ rounds, only }: CommandsOptions): Promise<void> {
  const ways = waysToAsk.filter((way) => isNamed(way.name, only));
  const results = new Map(ways.map((way) => [way, [] as Measurement[]]));
  await using parts = new AsyncDisposableStack();
  const askers = new Map<WayToAsk, Asker>();
  const brokerUrl = await startBroker(parts);
  for (const protocolVersion of new Set(ways.map((way) => way.protocolVersion))) {
    const fleet = await startFleet(brokerUrl, protocolVersion, parts);
    for (const way of ways.filter((each) => each.protocolVersion === protocolVersion)) {
      askers.set(way, parts.use(await way.start(fleet)));
    }
  }
  for (const [way, asker] of askers) {
    await asker.askInTurn(warmUpTurns);
    if (way.isForMany) await asker.askAll();
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const [way, asker] of askers) {
      const measurement = await measure(way, asker);
      results.get(way)?.push(measurement);
      const { allMs, p50Ms } = measurement;
      const all = way.isForMany ? `, all in ${allMs.toFixed(0)} ms` : "";
      console.log(`round ${round}: ${way.name}: p50 ${p50Ms.toFixed(2)} ms${all}`);
    }
  }
  print(results, rounds);
}

async function startBroker(parts: AsyncDisposableStack): Promise<string> {
  mkdirSync(".trestle/bench", { recursive: true });
  const folder = mkdtempSync(resolve(".trestle/bench/commands-"));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  parts.use(await startBenchBroker(port, folder, false));
  return `mqtt://127.0.0.1:${port}`;
}

/** Devices that answer in one version of MQTT, in some processes. */
async function startFleet(brokerUrl: string, protocolVersion: 4 | 5, parts: AsyncDisposableStack): Promise<Fleet> {
  const name = `v${protocolVersion}-`;
  const perProcess = devices / deviceProcesses;
  for (let firstDevice = 0; firstDevice < devices; firstDevice += perProcess) {
    const options: DevicesOptions = { brokerUrl, protocolVersion, name, firstDevice, devices: perProcess };
    const child = Child.fork(new URL("./peers/answering-devices.ts", import.meta.url), [JSON.stringify(options)]);
    parts.use(child);
    await child.next("ready");
  }
  return { brokerUrl, name, devices };
}

async function measure(way: WayToAsk, asker: Asker): Promise<Measurement> {
  const latencies = (await asker.askInTurn(turnsPerRound)).toSorted();
  const all: number[] = [];
  for (let count = 0; way.isForMany && count < allPerRound; count += 1) all.push(await asker.askAll());
  return { allMs: median(all), p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

function print(results: ReadonlyMap<WayToAsk, readonly Measurement[]>, rounds: number): void {
  const of = (way: WayToAsk, key: keyof Measurement) => median((results.get(way) ?? []).map((m) => m[key]));
  // Round by round, because the machine is another one in each.
  const ratio = (way: WayToAsk, key: keyof Measurement) => {
    const references = results.get(way.reference ?? way) ?? [];
    return median((results.get(way) ?? []).map((m, round) => m[key] / (references[round]?.[key] ?? Number.NaN)));
  };
  const text = (value: number, digits: number) => (Number.isNaN(value) ? "–" : value.toFixed(digits));
  console.log(`\n${devices} devices; ${turnsPerRound} round trips a round; median of ${rounds} rounds\n`);
  printTable(
    ["", "p50 ms", "× by hand", "p99 ms", "× by hand", "all at once ms", "× by hand"],
    [...results.keys()].map((way) => [
      way.name,
      ...(["p50Ms", "p99Ms", "allMs"] as const).flatMap((key) => [
        text(of(way, key), key === "allMs" ? 0 : 2),
        text(ratio(way, key), 2),
      ]),
    ]),
  );
}
