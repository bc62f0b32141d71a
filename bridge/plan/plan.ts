import type { CostLine } from "./cost-line.ts";
import { bodyBytes, type CostOptions, queuedLines, seedLines, seedMemoryMb, writesPerMessage } from "./cost-lines.ts";
import { directLoad, type FunctionLoad, queuedLoad, type Share } from "./functions.ts";
import { type QuotaName, type RegionSize, type Violation, violationsOf } from "./quotas.ts";
import { atPeak, type Batching, batchedUplink, plainUplink, type Uplink, unbatchedUplink } from "./uplink.ts";
import { messagesPerMonth, type Workload } from "./workload.ts";

/** A way to bring messages to the API. */
export type DesignName =
  | "plain" // the generated bridge: one connection, each message a publish
  | "relay" // paced, over several connections, each message a publish
  | "relay, batched" // many messages in each publish
  | "seed"; // what it is compared with: no Basic Ingest, and a function for each message

export interface PlanOptions extends CostOptions {
  readonly batching: Batching;
  readonly share: Share;
  readonly regionSize: RegionSize;
  /** Quotas that AWS has raised for the account. */
  readonly raised: Readonly<Partial<Record<QuotaName, number>>>;
}

export interface DesignPlan {
  readonly name: DesignName;
  readonly uplink: Uplink;
  readonly load: FunctionLoad;
  readonly lines: readonly CostLine[];
  readonly usdPerMonth: number;
  /** Of what grows with the messages. */
  readonly usdPerMillion: number;
  /** With what costs the same whatever is sent. */
  readonly usdPerMillionWithFixed: number;
  /** Quotas that it breaks in the busiest second: such a plan is refused. */
  readonly violations: readonly Violation[];
  /** Invocations at one time that are wanted and that `api.maxConcurrency` does not give. */
  readonly missingInvocations: number;
}

/** Plans each design for a workload. */
export function makePlans(workload: Workload, options: PlanOptions): readonly DesignPlan[] {
  const { batching } = options;
  return [
    planOf("plain", workload, plainUplink(workload), options, undefined),
    planOf("relay", workload, unbatchedUplink(workload), options, undefined),
    planOf("relay, batched", workload, batchedUplink(workload, batching), options, batching),
    planOf("seed", workload, plainUplink(workload), options, undefined),
  ];
}

/** Whether it can be done. */
export function isRefused({ violations, missingInvocations }: DesignPlan): boolean {
  return violations.length > 0 || missingInvocations > 0;
}

function planOf(
  name: DesignName,
  workload: Workload,
  uplink: Uplink,
  options: PlanOptions,
  batching: Batching | undefined,
): DesignPlan {
  const loadAt = (each: Uplink) =>
    name === "seed" ? directLoad(workload, each, seedMemoryMb) : queuedLoad(workload, each, options.share);
  const load = loadAt(uplink);
  const peak = atPeak(workload, uplink, batching);
  const peakLoad = loadAt(peak);
  const lines = (name === "seed" ? seedLines : queuedLines)(workload, uplink, load, options);
  const millions = messagesPerMonth(workload) / 1e6;
  const sum = (each: readonly CostLine[]) => each.reduce((total, { usdPerMonth }) => total + usdPerMonth, 0);
  return {
    ...{ name, uplink, load, lines },
    usdPerMonth: sum(lines),
    usdPerMillion: sum(lines.filter(({ isFixed }) => !isFixed)) / millions,
    usdPerMillionWithFixed: sum(lines) / millions,
    violations: violationsOf(needs(name, workload, peak, peakLoad, options), options.regionSize, options.raised),
    missingInvocations: name === "seed" ? 0 : missing(workload, peakLoad, options.share),
  };
}

function needs(
  name: DesignName,
  workload: Workload,
  { connections, publishesPerSecond, messagesPerPublish, payloadBytes, packetBytes }: Uplink,
  { atOneTime, recordsPerInvocation }: FunctionLoad,
  options: PlanOptions,
): Partial<Record<QuotaName, number>> {
  const common = {
    connectionPublishes: publishesPerSecond / connections,
    connectionBytes: (publishesPerSecond * packetBytes) / connections,
    // What is too large alone is refused before it could be in a frame.
    payload: Math.max(payloadBytes, workload.payloadBytes),
    accountPublishes: publishesPerSecond,
    ruleEvaluations: publishesPerSecond,
    connections,
    concurrentExecutions: atOneTime,
  };
  if (name === "seed") return common;
  return {
    ...common,
    queueMessage: bodyBytes(payloadBytes),
    inFlight: (atOneTime * recordsPerInvocation) / workload.routes,
    mappingConcurrency: atOneTime / workload.routes,
    tableWrites: publishesPerSecond * messagesPerPublish * writesPerMessage(workload, options),
  };
}

function missing({ routes }: Workload, { atOneTime }: FunctionLoad, { invocations }: Share): number {
  return invocations === undefined ? 0 : Math.max(0, Math.ceil(atOneTime / routes) - invocations);
}
