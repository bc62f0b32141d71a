// Asks devices in one of the ways, and tells how long their answers took.
import { inParallel } from "../../lambdas/commands/in-parallel.ts";
import { askings } from "./asking.ts";

export interface AskerOptions {
  readonly kind: "client" | "by hand" | "anew" | "ledger";
  readonly protocolVersion: 4 | 5;
  readonly brokerUrl: string;
  /** Begins the devices' ids. */
  readonly name: string;
  readonly devices: number;
  /** Of the ledger. */
  readonly table?: string;
}

export type Task = { readonly kind: "all" } | { readonly kind: "in turn"; readonly count: number };

export interface AskerReport {
  readonly kind: "report";
  /** From the first request to the last answer. */
  readonly ms: number;
  readonly latencies: Float64Array;
}

const options: AskerOptions = JSON.parse(process.argv[2] ?? "{}");
const start = askings[options.kind];
if (start === undefined) throw new Error(`nobody asks '${options.kind}'`);
const asking = await start(options);
let asked = 0;

/** @returns Milliseconds. @throws where the answer is another request's. */
async function roundTrip(device: number): Promise<number> {
  asked += 1;
  const body = `{"command":"track","number":${asked}}`;
  const beganAt = performance.now();
  const answer = await asking.ask(`${options.name}${device}`, body);
  if (answer !== body) throw new Error(`asked ${body}, answered ${answer}`);
  return performance.now() - beganAt;
}

async function all(): Promise<readonly number[]> {
  const latencies: number[] = [];
  const { atOnce = options.devices } = asking;
  await inParallel([...Array(options.devices).keys()], atOnce, async (device) => {
    latencies.push(await roundTrip(device));
  });
  return latencies;
}

async function inTurn(count: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  // One device: by its topic's subscription a way shows whether it keeps one.
  for (let index = 0; index < count; index += 1) latencies.push(await roundTrip(0));
  return latencies;
}

process.on("message", async (task: Task) => {
  await asking.begin?.();
  const beganAt = performance.now();
  const latencies = await (task.kind === "all" ? all() : inTurn(task.count));
  const ms = performance.now() - beganAt;
  await asking.end?.();
  process.send?.({ kind: "report", ms, latencies: Float64Array.from(latencies) } satisfies AskerReport);
});
process.send?.({ kind: "ready" });
