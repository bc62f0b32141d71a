import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BridgeError } from "../../bridge/bridge-error.ts";
import { findMosquitto } from "../../bridge/broker-process.ts";
import { synthesize } from "../../infra/synthesize.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { engineUser, startLocalBroker } from "../../start/broker.ts";
import { freePort } from "../support/ports.ts";
import { seededRandom } from "../support/random.ts";
import { startCountingApi } from "./api.ts";
import { EngineProcess } from "./engine-process.ts";
import { Fleet } from "./fleet.ts";
import { type PlanName, plans } from "./plans.ts";
import { Progress } from "./progress.ts";
import { Publisher } from "./publisher.ts";
import { type ChaosReport, type Disturbance, failuresOf } from "./report.ts";
import { Tally } from "./tally.ts";

export interface ChaosOptions {
  readonly plan: PlanName;
  readonly messages: number;
  readonly kills: number;
  readonly seed: number;
  /** Takes a line for each step and disturbance. */
  readonly print: (line: string) => void;
}

const devices = 10;
const assemblyName = "cdk.out";

/** A run in which nothing is acknowledged, requested or counted for so long has failed. */
const stallSeconds = 30;

/**
 * Sends numbered messages through what `npm start` sets up, with the engine as a process of its own, while a plan
 * disturbs it; then waits until everything has arrived or nothing moves any more.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-chaos-"));
  const report = await runIn(folder, options);
  if (failuresOf(report).length === 0) await rm(folder, { recursive: true });
  else options.print(`queues and logs are kept in ${folder}`);
  return report;
}

async function runIn(folder: string, options: ChaosOptions): Promise<ChaosReport> {
  const { messages, seed, print } = options;
  const { scheme } = await synthesize({ outDir: join(folder, assemblyName) });
  await using parts = new AsyncDisposableStack();
  const progress = parts.use(new Progress(stallSeconds));
  const tally = new Tally(messages);
  const { engine, publisher, description } = await startParts({ folder, scheme, parts, tally, progress });
  print(`${messages} messages of ${devices} devices at QoS 1, seed ${seed}, ${description}`);

  const beganAt = performance.now();
  const seconds = () => (performance.now() - beganAt) / 1000;
  const disturbances: Disturbance[] = [];
  const note = (what: string) => {
    const disturbance = { what, atSeconds: seconds(), undelivered: tally.undelivered };
    disturbances.push(disturbance);
    print(describe(disturbance));
  };
  let publishSeconds: number | undefined;
  let deliverSeconds: number | undefined;
  let problem: Error | undefined;
  try {
    const published = publisher.publishAll(tally, progress).then(() => (publishSeconds = seconds()));
    const disturbed = plans[options.plan]({ ...options, engine, tally, progress, random: seededRandom(seed), note });
    await Promise.all([published, disturbed]);
    await progress.until(() => tally.received === messages);
    deliverSeconds = seconds();
    // What is queued even now becomes duplicates.
    await progress.until(() => engine.counts?.pending === 0);
  } catch (error) {
    problem = error as Error;
  }
  const { acknowledged, received, duplicatesWithSameKey, duplicatesWithOtherKey, unexpected } = tally;
  return {
    ...{ seed, messages, acknowledged, received, duplicatesWithSameKey, duplicatesWithOtherKey, unexpected },
    missing: tally.missing(),
    disturbances,
    publishSeconds: publishSeconds ?? seconds(),
    deliverSeconds: deliverSeconds ?? seconds(),
    counts: engine.counts,
    problem,
  };
}

interface Surroundings {
  readonly folder: string;
  readonly scheme: Scheme;
  /** Takes what has to be ended. */
  readonly parts: AsyncDisposableStack;
  readonly tally: Tally;
  readonly progress: Progress;
}

interface Parts {
  readonly engine: EngineProcess;
  readonly publisher: Publisher;
  /** Of the broker. */
  readonly description: string;
}

async function startParts({ folder, scheme, parts, tally, progress }: Surroundings): Promise<Parts> {
  // The embedded broker, which `npm start` would take instead, keeps nothing while the engine is away.
  if ((await findMosquitto()) === undefined) {
    throw new BridgeError("MOSQUITTO_UNSUPPORTED", "no mosquitto is installed; npm test installs it");
  }
  const fleet = new Fleet(scheme, devices);
  const api = parts.use(await startCountingApi(fleet, tally, progress));
  const broker = parts.use(await startLocalBroker(scheme, await freePort(), join(folder, "broker"), () => {}));
  const engineOptions = {
    "--assembly": join(folder, assemblyName),
    "--data": join(folder, "queues"),
    "--broker": broker.url,
    "--username": engineUser,
    "--parameter": `ApiUrl=${api.url}`,
  };
  const args = Object.entries(engineOptions).flat();
  const engine = parts.use(new EngineProcess({ args, logFile: join(folder, "engine.log"), progress }));
  await engine.start();
  const publisher = parts.use(await Publisher.connect(broker.url, fleet));
  return { engine, publisher, description: broker.description };
}

function describe({ what, atSeconds, undelivered }: Disturbance): string {
  return `${atSeconds.toFixed(1).padStart(6)} s  ${what}, ${undelivered} messages undelivered`;
}
