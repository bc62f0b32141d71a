import { setTimeout as delay } from "node:timers/promises";
import { loadScheme } from "../scheme/load-scheme.ts";
import { resourceNames } from "../scheme/resource-names.ts";
import { engine } from "./subjects/engine.ts";
import type { BenchApi } from "./support/api.ts";
import { EngineServices } from "./support/engine-services.ts";
import { publish, startPublisher } from "./support/publish.ts";
import { percentile, printTable } from "./support/table.ts";
import { startWay } from "./support/way.ts";

export interface RecoveryOptions {
  /** Messages that wait when the API comes back. */
  readonly messages: number;
  /** Measurements, each with an engine of its own. */
  readonly rounds: number;
}

interface Measurement {
  /** From the API's return. */
  readonly firstDeliverySeconds: number;
  readonly drainedSeconds: number;
  /** Of fresh messages that were published from the first delivery on until the backlog was drained. */
  readonly fresh: Float64Array;
  readonly mostAtOneTime: number;
  readonly duplicates: number;
  readonly lost: number;
}

/** Fresh messages a second, all the time. */
const freshRate = 200;
/** Different devices, of the backlog and of the fresh messages. */
const devices = 1_000;
/** Fresh messages are known by their numbers. */
const firstFresh = 10_000_000;
/** What the API takes for a request: with less, there would hardly be two at one time. */
const apiDelayMs = 20;
const patienceMs = 600_000;

/** Messages that wait behind an open circuit: what happens when the API comes back. */
export async function benchRecovery({ messages, rounds }: RecoveryOptions): Promise<void> {
  const obstacle = await engine.prepare();
  if (obstacle !== undefined) throw new Error(obstacle);
  const scheme = await loadScheme("bench/bench.config.ts");
  const { retryQueue } = resourceNames(scheme);
  const results: Measurement[] = [];
  for (let round = 1; round <= rounds; round += 1) results.push(await measure(messages, retryQueue("location"), round));
  const { maxConcurrency } = scheme.api;
  console.log(`\n${messages} messages of ${devices} devices wait; the API answers after ${apiDelayMs} ms`);
  console.log(`fresh: ${freshRate}/s, published from the first delivery on until the backlog is drained\n`);
  printTable(
    [
      "round",
      "first s",
      "drained s",
      "fresh",
      "p50 ms",
      "p99 ms",
      "max ms",
      `at one time (of ${maxConcurrency})`,
      "again",
      "lost",
    ],
    results.map(({ fresh, ...result }, index) => [
      String(index + 1),
      result.firstDeliverySeconds.toFixed(1),
      result.drainedSeconds.toFixed(1),
      String(fresh.length),
      ...[0.5, 0.99, 1].map((part) => percentile(fresh, part).toFixed(0)),
      String(result.mostAtOneTime),
      String(result.duplicates),
      String(result.lost),
    ]),
  );
}

async function measure(messages: number, retryQueue: string, round: number): Promise<Measurement> {
  await using way = await startWay(engine);
  const { api, brokerUrl: url } = way;
  using services = EngineServices.of(way.dataFolder);
  const say = (text: string) => console.log(`round ${round}: ${text}`);

  await api.behave({ isDown: true });
  const fleet = { name: "fleet", devices };
  await publish({ url, count: messages, rate: 0, fleet });
  // The engine has acknowledged them all when they are in its queues, and the fresh one is empty when they wait in the other.
  await services.untilQueueHas(retryQueue, (count) => count >= messages, patienceMs);
  say(`${messages} messages wait`);

  api.begin();
  const fresh = startPublisher({ url, count: 1e9, rate: freshRate, window: 10_000, firstNumber: firstFresh, fleet });
  await using _ = fresh;
  const returnedAt = await api.behave({ delayMs: apiDelayMs });
  const firstAt = await untilFirst(api);
  say(`the first delivery came after ${((firstAt - returnedAt) / 1000).toFixed(1)} s`);
  const drainedAt = await untilDrained(api, messages);
  await fresh[Symbol.asyncDispose]();
  await untilNothingWaits(services);
  const report = await api.report();
  const backlog = (await api.latencies({ to: firstFresh })).length;
  const ledger = await services.ledger();
  say(`ledger: ${JSON.stringify(ledger)}`);
  return {
    firstDeliverySeconds: (firstAt - returnedAt) / 1000,
    drainedSeconds: (drainedAt - returnedAt) / 1000,
    fresh: await api.latencies({ from: firstFresh, sentSince: firstAt, sentUntil: drainedAt }),
    mostAtOneTime: report.mostAtOneTime,
    duplicates: report.requests - report.distinct,
    lost: messages - backlog,
  };
}

/** When the first message was delivered, in milliseconds since 1970. */
async function untilFirst(api: BenchApi): Promise<number> {
  for (const endsAt = performance.now() + patienceMs; performance.now() < endsAt; await delay(20)) {
    const { firstAt } = await api.report();
    if (firstAt > 0) return firstAt;
  }
  throw new Error("no message was delivered");
}

/** When the last message of the backlog was delivered, as near as it was looked, in milliseconds since 1970. */
async function untilDrained(api: BenchApi, messages: number): Promise<number> {
  for (const endsAt = performance.now() + patienceMs; performance.now() < endsAt; await delay(250)) {
    if ((await api.latencies({ to: firstFresh })).length >= messages) return performance.timeOrigin + performance.now();
  }
  throw new Error("the backlog was not drained");
}

/** So that no message that is on its way is called lost. */
async function untilNothingWaits(services: EngineServices): Promise<void> {
  for (const endsAt = performance.now() + patienceMs; performance.now() < endsAt; await delay(250)) {
    if ((await services.ledger()).every(({ pending }) => pending === 0)) return;
  }
}
