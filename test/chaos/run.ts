import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BridgeError } from "../../bridge/bridge-error.ts";
import { findMosquitto } from "../../bridge/broker-process.ts";
import { synthesize } from "../../infra/synthesize.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { engineUser } from "../../start/broker.ts";
import { startGenerated, type TestBroker } from "../support/mosquitto.ts";
import { freePort } from "../support/ports.ts";
import { seededRandom } from "../support/random.ts";
import { checkLedgerOnDisk, checkRunningLedger, readDeadLetters } from "./aftermath.ts";
import { ApiProcess } from "./api-process.ts";
import { EngineProcess } from "./engine-process.ts";
import { Fleet } from "./fleet.ts";
import type { PlanContext, Share } from "./plan.ts";
import { type PlanName, plans } from "./plans.ts";
import { Progress } from "./progress.ts";
import { Publisher } from "./publisher.ts";
import { type ChaosReport, type Disturbance, failuresOf } from "./report.ts";
import { Tally } from "./tally.ts";

export interface ChaosOptions {
  readonly plan: PlanName;
  readonly messages: number;
  readonly kills: number;
  /** How long a disturbance of the API lasts at the most. */
  readonly faultSeconds: number;
  readonly seed: number;
  /** Takes a line for each step and disturbance. */
  readonly print: (line: string) => void;
}

const configFile = fileURLToPath(new URL("./chaos.config.ts", import.meta.url));
const assemblyName = "cdk.out";

/** The template's minute, in which the circuit breaker looks after an API that was away: in a run, half a second. */
const minuteMs = 500;

/** The part of a run that is disturbed: begun, and with enough left to be undisturbed at the end. */
const disturbed: Share = { from: 0.02, to: 0.9 };

/** A run in which nothing is acknowledged, requested or counted for so long has failed. */
const stallSeconds = 30;
/** When nothing is pending and nothing has come for so long, what is missing will not come any more. */
const lostSeconds = 10;

/**
 * Sends numbered messages through a broker as `npm start` sets it up, the engine and an API, each a process of its own,
 * while a plan disturbs them; then waits until everything has arrived or nothing moves any more.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-chaos-"));
  const report = await runIn(folder, options);
  if (failuresOf(report).length === 0) await rm(folder, { recursive: true });
  else options.print(`queues and logs are kept in ${folder}`);
  return report;
}

async function runIn(folder: string, options: ChaosOptions): Promise<ChaosReport> {
  const { plan, messages, kills, faultSeconds, seed, print } = options;
  const { scheme } = await synthesize({ configFile, outDir: join(folder, assemblyName) });
  await using stack = new AsyncDisposableStack();
  const devices = devicesOf(plan);
  const progress = stack.use(new Progress(stallSeconds));
  const tally = new Tally(messages);
  const dataFolder = join(folder, "queues");
  const { description, ...parts } = await startParts({ folder, dataFolder, scheme, stack, tally, progress, options });
  const { engine, api, publisher } = parts;
  print(`${messages} messages of ${devices} devices at QoS 1, plan ${plan}, seed ${seed}, ${description}`);

  const beganAt = performance.now();
  const seconds = () => (performance.now() - beganAt) / 1000;
  const disturbances: Disturbance[] = [];
  const note = (what: string) => {
    const disturbance = { what, atSeconds: seconds(), undelivered: tally.undelivered };
    disturbances.push(disturbance);
    print(describe(disturbance));
  };
  const random = seededRandom(seed);
  const context: PlanContext = {
    ...{ scheme, ...parts, tally, progress, dataFolder, random, share: disturbed, kills, faultSeconds, note },
  };
  let publishSeconds: number | undefined;
  let deliverSeconds: number | undefined;
  let problem: Error | undefined;
  let dead: ReadonlySet<number> = new Set();
  const ledgerFaults: string[] = [];
  try {
    let isOver = false;
    const published = publisher.publishAll(tally, progress, () => isOver).then(() => (publishSeconds = seconds()));
    const disturbances = plans[plan](context).then(() => {
      isOver = true;
      progress.advance();
    });
    await Promise.all([published, disturbances]);
    // What is queued even now becomes duplicates or dead letters.
    const hasAll = () => tally.received === tally.published;
    await progress.until(() => engine.counts?.pending === 0 && (hasAll() || progress.quietSeconds >= lostSeconds));
    deliverSeconds = seconds() - (hasAll() ? 0 : lostSeconds);
    dead = await readDeadLetters(configFile, dataFolder);
    // What the broker has lost, no ledger knows of.
    const known = tally.acknowledged - tally.missing(dead).length;
    ledgerFaults.push(...(await checkRunningLedger(dataFolder, known)));
    await engine.stop();
    ledgerFaults.push(...(await checkLedgerOnDisk(dataFolder)));
  } catch (error) {
    problem = error as Error;
  }
  await writeFile(join(folder, "broker.log"), parts.broker.lines.join("\n"));
  const { published, acknowledged, received, duplicates, unexplained, changedKeys, renamed, unexpected } = tally;
  return {
    ...{ plan, seed, published, acknowledged, received, duplicates, unexplained, changedKeys, renamed, unexpected },
    ...{ disturbances, ledgerFaults, problem },
    dead: dead.size,
    missing: tally.missing(dead),
    // Mosquitto reads a packet of each connection, acknowledges them, and then saves: of each device one may be lost.
    missingAllowed: plan === "kill-broker" ? kills * devices : 0,
    refusedAttempts: api.refused,
    publishSeconds: publishSeconds ?? seconds(),
    deliverSeconds: deliverSeconds ?? seconds(),
    counts: engine.counts,
  };
}

/** One where the broker is killed: what that loses grows with the devices that send at that instant. */
function devicesOf(plan: PlanName): number {
  return plan === "kill-broker" ? 1 : 10;
}

interface Surroundings {
  readonly folder: string;
  readonly dataFolder: string;
  readonly scheme: Scheme;
  /** Takes what has to be ended. */
  readonly stack: AsyncDisposableStack;
  readonly tally: Tally;
  readonly progress: Progress;
  readonly options: ChaosOptions;
}

interface Parts extends Pick<PlanContext, "broker" | "engine" | "api" | "publisher"> {
  /** Of the broker. */
  readonly description: string;
}

async function startParts(surroundings: Surroundings): Promise<Parts> {
  const { folder, dataFolder, scheme, stack, tally, progress, options } = surroundings;
  const { plan, seed } = options;
  const devices = devicesOf(plan);
  const api = stack.use(
    new ApiProcess({ port: await freePort(), configFile, devices, messages: tally.capacity, seed }, tally, progress),
  );
  await api.start();
  const { broker, description } = await startBroker(scheme, plan);
  stack.use(broker);
  const engineOptions = {
    "--assembly": join(folder, assemblyName),
    "--data": dataFolder,
    "--broker": broker.url,
    "--username": engineUser,
    "--parameter": `ApiUrl=${api.url}`,
    "--minute-ms": String(minuteMs),
  };
  const args = Object.entries(engineOptions).flat();
  const engine = stack.use(new EngineProcess({ args, logFile: join(folder, "engine.log"), progress }));
  await engine.start();
  const publisher = stack.use(await Publisher.connect(broker.url, new Fleet(scheme, devices)));
  return { broker, engine, api, publisher, description };
}

/**
 * With the durability of `npm start`, which outlives everything but a kill of the broker itself; where that is the plan,
 * with the other one, which costs most of the rate.
 */
async function startBroker(scheme: Scheme, plan: PlanName): Promise<{ broker: TestBroker; description: string }> {
  // The embedded broker, which `npm start` would take where there is none, keeps nothing while the engine is away.
  const mosquitto = await findMosquitto();
  if (mosquitto === undefined) {
    throw new BridgeError("MOSQUITTO_UNSUPPORTED", "no mosquitto is installed; npm test installs it");
  }
  const durability = plan === "kill-broker" ? "every-message" : "every-second";
  const services = { engine: engineUser };
  const broker = await startGenerated(scheme, () => ({ services, durability }));
  return { broker, description: `Mosquitto ${mosquitto.release}, saved ${durability.replace("-", " ")}` };
}

function describe({ what, atSeconds, undelivered }: Disturbance): string {
  return `${atSeconds.toFixed(1).padStart(6)} s  ${what}, ${undelivered} messages undelivered`;
}
