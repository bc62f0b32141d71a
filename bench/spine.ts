import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { freePort } from "../test/support/ports.ts";
import type { Subject } from "./subject.ts";
import { bare } from "./subjects/bare.ts";
import { engine, engineWithGeneratedBroker } from "./subjects/engine.ts";
import { nodeRed } from "./subjects/node-red.ts";
import { paho } from "./subjects/paho.ts";
import type { ApiCommand, ApiReport, LatencyReport } from "./support/api-server.ts";
import { startBenchBroker } from "./support/broker.ts";
import { Child } from "./support/child.ts";
import { median, printTable } from "./support/table.ts";

export interface SpineOptions {
  readonly messages: number;
  readonly rounds: number;
  /** Part of the names of those to be measured; empty for all. */
  readonly only: string;
}

interface Measurement {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly lost: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const subjects: readonly Subject[] = [bare, engine, nodeRed, paho, engineWithGeneratedBroker];

/** Messages before anything is counted: code is compiled, connections are made. */
const warmUpMessages = 30_000;
/** The latency is taken at a rate that all can follow, for this many messages. */
const latencyRate = 500;
const latencyMessages = 5_000;
/** Milliseconds without a further request after which what has not come is lost. */
const patienceMs = 10_000;

/** From broker to API: messages a second at full load, and the time from publish to receipt at an even rate. */
export async function benchSpine({ messages, rounds, only }: SpineOptions): Promise<void> {
  const results = new Map<Subject, Measurement[]>();
  for (const subject of subjects.filter(({ name }) => name.includes(only))) {
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
  print(results, messages, rounds);
}

async function measure(subject: Subject, messages: number): Promise<Measurement> {
  const folder = resolve(".trestle/bench");
  rmSync(folder, { recursive: true, force: true });
  const port = await freePort();
  const brokerUrl = `mqtt://127.0.0.1:${port}`;
  await using parts = new AsyncDisposableStack();
  parts.use(await startBenchBroker(port, `${folder}/broker`, subject.wantsGeneratedBroker === true));
  const api = parts.use(Child.fork(new URL("./support/api-server.ts", import.meta.url), []));
  const { port: apiPort } = await api.next<{ kind: "listening"; port: number }>("listening");
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const running = parts.use(await subject.start({ brokerUrl, apiUrl, folder: `${folder}/subject` }));
  await publishUntilReceived(api, brokerUrl);
  // First, since a subject without back-pressure is busy with its own backlog long after a full load.
  const even = await publish(api, brokerUrl, latencyMessages, latencyRate);
  const latencies = (await ask<LatencyReport>(api, "latencies")).latenciesMs;

  await publish(api, brokerUrl, warmUpMessages, 0);
  const cpuBefore = running.cpuMs;
  const load = await publish(api, brokerUrl, messages, 0);
  const cpuMs = running.cpuMs - cpuBefore;
  return {
    perSecond: (load.report.distinct / (load.report.lastAt - load.beganAt)) * 1000,
    cpuMicroseconds: (cpuMs / messages) * 1000,
    lost: messages - load.report.distinct + latencyMessages - even.report.distinct,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  };
}

/** A subject is ready when a message of its route reaches the API. */
async function publishUntilReceived(api: Child, brokerUrl: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const { report } = await publish(api, brokerUrl, 1, 0, 500);
    if (report.distinct === 1) return;
  }
  throw new Error("no message reached the API within a minute");
}

async function publish(api: Child, brokerUrl: string, count: number, rate: number, patience = patienceMs) {
  api.process.send({ kind: "begin" } satisfies ApiCommand);
  const args = [brokerUrl, String(count), String(rate)];
  await using publisher = Child.fork(new URL("./support/publisher.ts", import.meta.url), args);
  const { beganAt } = await publisher.next<{ kind: "published"; beganAt: number }>("published");
  return { beganAt, report: await untilReceived(api, count, patience) };
}

/** Waits until all have come, or nothing comes any more. */
async function untilReceived(api: Child, count: number, patience: number): Promise<ApiReport> {
  for (let last = -1, lastAt = performance.now(); ; ) {
    const report = await ask<ApiReport>(api, "report");
    if (report.distinct !== last) lastAt = performance.now();
    last = report.distinct;
    if (report.distinct >= count || performance.now() - lastAt > patience) return report;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function ask<T extends ApiReport | LatencyReport>(api: Child, kind: T["kind"]): Promise<T> {
  const answer = api.next<T>(kind);
  api.process.send({ kind } satisfies ApiCommand);
  return answer;
}

function print(results: ReadonlyMap<Subject, readonly Measurement[]>, messages: number, rounds: number): void {
  const of = (subject: Subject, key: keyof Measurement) => median((results.get(subject) ?? []).map((m) => m[key]));
  const reference = of(bare, "perSecond");
  console.log(`\n${messages} messages of 250 bytes, QoS 1; median of ${rounds} rounds; latency at ${latencyRate}/s\n`);
  printTable(
    ["", "durable", "messages/s", "× bare", "CPU µs/message", "p50 ms", "p99 ms", "lost"],
    [...results.keys()].map((subject) => [
      subject.name,
      subject.isDurable ? "yes" : "no",
      of(subject, "perSecond").toFixed(0),
      (of(subject, "perSecond") / reference).toFixed(2),
      of(subject, "cpuMicroseconds").toFixed(0),
      of(subject, "p50Ms").toFixed(2),
      of(subject, "p99Ms").toFixed(2),
      String((results.get(subject) ?? []).reduce((sum, { lost }) => sum + lost, 0)),
    ]),
  );
}
