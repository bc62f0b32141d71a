import type { CostLine } from "./cost-line.ts";
import {
  bodyBytes,
  type CostOptions,
  eventBytes,
  framesLines,
  queuedLines,
  seedLines,
  seedMemoryMb,
  writesPerMessage,
} from "./cost-lines.ts";
import { directLoad, type FunctionLoad, framesLoad, queuedLoad, type Share } from "./functions.ts";
import { type QuotaName, type RegionSize, type Violation, violationsOf } from "./quotas.ts";
import { atPeak, type Batching, framesUplink, plainUplink, type Uplink } from "./uplink.ts";
import { messagesPerMonth, type Workload } from "./workload.ts";

/** A way to bring messages to the API. */
export type DesignName =
  | "plain" // the generated bridge: one connection, each message a publish, by the queue of its route
  | "relay" // paced, over several connections, each message a frame, which invokes the function
  | "relay, batched" // many messages in each frame
  | "seed"; // what it is compared with: no Basic Ingest, and a function for each message

export interface PlanOptions extends CostOptions {
  readonly batching: Batching;
  /** What `api.maxConcurrency` gives to the fresh messages of each route, and to all frames. */
  readonly shares: { readonly queued: Share; readonly frames: Share };
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
  const plain = plainUplink(workload);
  const alone = { ...batching, maxMessages: 1 };
  return [
    planOf("plain", queued, plain, undefined, workload, options),
    planOf("relay", framed, framesUplink(workload, alone), alone, workload, options),
    planOf("relay, batched", framed, framesUplink(workload, batching), batching, workload, options),
    planOf("seed", direct, plain, undefined, workload, options),
  ];
}

/** Whether it can be done. */
export function isRefused({ violations, missingInvocations }: DesignPlan): boolean {
  return violations.length > 0 || missingInvocations > 0;
}

/** How the function comes to its messages. */
interface Way {
  readonly load: (workload: Workload, uplink: Uplink, options: PlanOptions) => FunctionLoad;
  readonly lines: typeof queuedLines;
  /** Of quotas, beside those of IoT Core and of concurrent executions. */
  readonly needs: (
    workload: Workload,
    uplink: Uplink,
    load: FunctionLoad,
    options: PlanOptions,
  ) => Readonly<Partial<Record<QuotaName, number>>>;
  readonly missing: (workload: Workload, load: FunctionLoad, options: PlanOptions) => number;
}

const queued: Way = {
  load: (workload, uplink, { shares }) => queuedLoad(workload, uplink, shares.queued),
  lines: queuedLines,
  needs: (workload, uplink, { atOneTime, recordsPerInvocation }, options) => ({
    queueMessage: bodyBytes(uplink.payloadBytes),
    inFlight: (atOneTime * recordsPerInvocation) / workload.routes,
    mappingConcurrency: atOneTime / workload.routes,
    tableWrites: writesPerSecond(workload, uplink, options),
  }),
  missing: ({ routes }, { atOneTime }, { shares }) => missingOf(atOneTime / routes, shares.queued),
};

const framed: Way = {
  load: (workload, uplink, { shares }) => framesLoad(workload, uplink, shares.frames),
  lines: framesLines,
  needs: (workload, uplink, _load, options) => ({
    asynchronousEvent: eventBytes(uplink.payloadBytes),
    tableWrites: writesPerSecond(workload, uplink, options),
  }),
  missing: (_workload, { atOneTime }, { shares }) => missingOf(atOneTime, shares.frames),
};

const direct: Way = {
  load: (workload, uplink) => directLoad(workload, uplink, seedMemoryMb),
  lines: seedLines,
  needs: () => ({}),
  missing: () => 0,
};

function planOf(
  name: DesignName,
  way: Way,
  uplink: Uplink,
  batching: Batching | undefined,
  workload: Workload,
  options: PlanOptions,
): DesignPlan {
  const load = way.load(workload, uplink, options);
  const peak = atPeak(workload, uplink, batching);
  const peakLoad = way.load(workload, peak, options);
  const needs = { ...commonNeeds(workload, peak, peakLoad), ...way.needs(workload, peak, peakLoad, options) };
  const lines = way.lines(workload, uplink, load, options);
  const millions = messagesPerMonth(workload) / 1e6;
  const sum = (each: readonly CostLine[]) => each.reduce((total, { usdPerMonth }) => total + usdPerMonth, 0);
  return {
    ...{ name, uplink, load, lines },
    usdPerMonth: sum(lines),
    usdPerMillion: sum(lines.filter(({ isFixed }) => !isFixed)) / millions,
    usdPerMillionWithFixed: sum(lines) / millions,
    violations: violationsOf(needs, options.regionSize, options.raised),
    missingInvocations: way.missing(workload, peakLoad, options),
  };
}

function commonNeeds(
  workload: Workload,
  { connections, publishesPerSecond, packetBytes }: Uplink,
  { atOneTime }: FunctionLoad,
): Partial<Record<QuotaName, number>> {
  return {
    connectionPublishes: publishesPerSecond / connections,
    connectionBytes: (publishesPerSecond * packetBytes) / connections,
    // A frame is never larger: its messages are as many as fit.
    payload: workload.payloadBytes,
    accountPublishes: publishesPerSecond,
    ruleEvaluations: publishesPerSecond,
    connections,
    concurrentExecutions: atOneTime,
  };
}

function writesPerSecond(workload: Workload, uplink: Uplink, options: PlanOptions): number {
  return uplink.publishesPerSecond * uplink.messagesPerPublish * writesPerMessage(workload, options);
}

function missingOf(atOneTime: number, { invocations = Number.POSITIVE_INFINITY }: Share): number {
  return Math.max(0, Math.ceil(atOneTime) - invocations);
}
