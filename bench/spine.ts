import { resolve } from "node:path";
import type { Subject } from "./subject.ts";
import { bare } from "./subjects/bare.ts";
import { engine, engineOf, engineThatKeeps, engineWithGeneratedBroker } from "./subjects/engine.ts";
import { nodeRed } from "./subjects/node-red.ts";
import { paho } from "./subjects/paho.ts";
import { isNamed, median, percentile, printTable } from "./support/table.ts";
import { publishAndWait, startWay } from "./support/way.ts";

export interface SpineOptions {
  readonly messages: number;
  readonly rounds: number;
  /** Parts of the names of those to be measured; none for all. */
  readonly only: readonly string[];
  /** Another checkout of this project, to be measured as what was before. */
  readonly baseline?: string | undefined;
}

interface Measurement {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly lost: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @param baseline Comes right before the engine, so that both have the machine of the same minute. */
function subjectsBeside(baseline: Subject | undefined): readonly Subject[] {
  const before = baseline === undefined ? [] : [baseline];
  return [bare, ...before, engine, engineThatKeeps, engineWithGeneratedBroker, nodeRed, paho];
}

/** Messages before anything is counted: code is compiled, connections are made. */
const warmUpMessages = 30_000;
/** The latency is taken at a rate that all can follow, for this many messages. */
const latencyRate = 500;
const latencyMessages = 5_000;
/** Milliseconds without a further request after which what has not come is lost. */
const patienceMs = 10_000;

/** From broker to API: messages a second at full load, and the time from publish to receipt at an even rate. */
export async function benchSpine({ messages, rounds, only, baseline: folder }: SpineOptions): Promise<void> {
  const results = new Map<Subject, Measurement[]>();
  const baseline = folder === undefined ? undefined : engineOf({ name: "before", root: resolve(folder) });
  for (const subject of subjectsBeside(baseline).filter(({ name }) => isNamed(name, only))) {
    const obstacle = await subject.prepare();
    if (obstacle === undefined) results.set(subject, []);
    else console.log(`${subject.name}: left out, ${obstacle}`);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const [subject, measurements] of results) {
      const measurement = await measure(subject, messages);
      measurements.push(measurement);
      console.log(`round ${round}: ${subject.name}: ${Math.round(measurement.perSecond)}/s, ${measurement.lost} lost`);
    }
  }
  print(results, { messages, rounds, baseline });
}

async function measure(subject: Subject, messages: number): Promise<Measurement> {
  await using way = await startWay(subject);
  const { api, brokerUrl: url } = way;
  // First, since a subject without back-pressure is busy with its own backlog long after a full load.
  const even = await publishAndWait(api, { url, count: latencyMessages, rate: latencyRate }, patienceMs);
  const latencies = await api.latencies();

  await publishAndWait(api, { url, count: warmUpMessages, rate: 0 }, patienceMs);
  const cpuBefore = way.subject.cpuMs;
  const load = await publishAndWait(api, { url, count: messages, rate: 0 }, patienceMs);
  const cpuMs = way.subject.cpuMs - cpuBefore;
  return {
    perSecond: (load.report.distinct / (load.report.lastAt - load.beganAt)) * 1000,
    cpuMicroseconds: (cpuMs / messages) * 1000,
    lost: messages - load.report.distinct + latencyMessages - even.report.distinct,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

function print(
  results: ReadonlyMap<Subject, readonly Measurement[]>,
  { messages, rounds, baseline }: { messages: number; rounds: number; baseline: Subject | undefined },
): void {
  const of = (subject: Subject, key: keyof Measurement) => median((results.get(subject) ?? []).map((m) => m[key]));
  const references = [["× bare", bare] as const, ...(baseline === undefined ? [] : [["× before", baseline] as const])];
  const ratios = references.filter(([, reference]) => results.has(reference));
  console.log(`\n${messages} messages of 250 bytes, QoS 1; median of ${rounds} rounds; latency at ${latencyRate}/s\n`);
  printTable(
    ["", "durable", "messages/s", ...ratios.map(([title]) => title), "CPU µs/message", "p50 ms", "p99 ms", "lost"],
    [...results.keys()].map((subject) => [
      subject.name,
      subject.isDurable ? "yes" : "no",
      of(subject, "perSecond").toFixed(0),
      ...ratios.map(([, reference]) => (of(subject, "perSecond") / of(reference, "perSecond")).toFixed(2)),
      of(subject, "cpuMicroseconds").toFixed(0),
      of(subject, "p50Ms").toFixed(2),
      of(subject, "p99Ms").toFixed(2),
      String((results.get(subject) ?? []).reduce((sum, { lost }) => sum + lost, 0)),
    ]),
  );
}
