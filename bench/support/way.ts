import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort } from "../../test/support/ports.ts";
import type { RunningSubject, Subject } from "../subject.ts";
import { BenchApi } from "./api.ts";
import { startBenchBroker } from "./broker.ts";
import { publish } from "./publish.ts";
import type { PublisherOptions } from "./publisher.ts";

/** A broker, a subject and an API, each in a process of its own; a message of the subject's route has passed already. */
export interface Way extends AsyncDisposable {
  readonly brokerUrl: string;
  readonly api: BenchApi;
  readonly subject: RunningSubject;
  /** Where an engine has its data. */
  readonly dataFolder: string;
}

export async function startWay(subject: Subject): Promise<Way> {
  mkdirSync(".trestle/bench", { recursive: true });
  const folder = mkdtempSync(resolve(".trestle/bench/way-"));
  const port = await freePort();
  const brokerUrl = `mqtt://127.0.0.1:${port}`;
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  parts.use(await startBenchBroker(port, `${folder}/broker`, subject.wantsGeneratedBroker === true));
  const api = parts.use(await BenchApi.start());
  const running = parts.use(await subject.start({ brokerUrl, apiUrl: api.url, folder: `${folder}/subject` }));
  await publishUntilReceived(api, brokerUrl);
  const started = parts.move();
  return {
    ...{ brokerUrl, api, subject: running, dataFolder: join(folder, "subject/data") },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** A subject is ready when a message of its route reaches the API. */
async function publishUntilReceived(api: BenchApi, brokerUrl: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const { report } = await publishAndWait(api, { url: brokerUrl, count: 1, rate: 0 }, 500);
    if (report.distinct === 1) return;
  }
  throw new Error("no message reached the API within a minute");
}

/** Publishes messages and waits until the API has them all, or none comes for a while. */
export async function publishAndWait(api: BenchApi, options: PublisherOptions, patienceMs: number) {
  api.begin();
  const { beganAt } = await publish(options);
  return { beganAt, report: await api.untilReceived(options.count, patienceMs) };
}
