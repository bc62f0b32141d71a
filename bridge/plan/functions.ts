import { batchSize } from "../../infra/concurrency.ts";
import type { Uplink } from "./uplink.ts";
import type { Workload } from "./workload.ts";

/** What the functions cost beside their requests, as their code has it. A test holds these against it. */
export const functionFacts = {
  /** `infra/trestle-function.ts`; on arm64. */
  memoryMb: 512,
  /** Records of one invocation at most, `infra/concurrency.ts`. */
  recordsPerInvocation: batchSize,
  /** A route's state is read so often at most by an execution environment, `lambdas/forward/route-gate.ts`. */
  stateReadMs: 1_000,
  /** And so often a success is noted. */
  successNoteMs: 10_000,
  /** Metrics are a log line for each route, so often at most, `lambdas/forward/report.ts`; a message is none. */
  metricLineMs: 1_000,
  /** Requests that devices have not answered are looked up so often, `lambdas/forward/online-devices.ts`. */
  openRequestsReadMs: 5_000,
  /** `circuit` runs so often, `infra/circuit.ts`. */
  circuitMs: 60_000,
  /** Of a message whose route has a lease: one write before its request, one after it, `lambdas/forward/lease.ts`. */
  leaseWrites: 2,
} as const;

/** Of a whole processor, `infra/trestle-function.ts`. */
const messageMs = 0.05;

/** Of a whole processor, for an invocation beside its messages: its start, the state of its route. An estimate. */
const invocationMs = 1.5;

/** Memory that comes with a whole processor. */
const wholeProcessorMb = 1_769;

/** Batches that Lambda begins with at one time, and keeps where the mapping has a maximum concurrency. */
const firstPollers = 5;

/** What a function has to work with: the part of `api.maxConcurrency` for the fresh messages of a route, or for frames. */
export interface Share {
  /** Invocations at one time; as many as are needed where it is undefined. */
  readonly invocations: number | undefined;
  /** Requests at one time in each of them. */
  readonly parallelRequests: number;
  /** Processor time comes with it. */
  readonly memoryMb: number;
}

/** The function that makes the requests, on average while messages come. */
export interface FunctionLoad {
  /** Publishes that one invocation takes. */
  readonly recordsPerInvocation: number;
  readonly messagesPerInvocation: number;
  /** Routes that these belong to. */
  readonly routesPerInvocation: number;
  readonly durationMs: number;
  readonly invocationsPerSecond: number;
  /** Invocations at one time, of all routes. */
  readonly atOneTime: number;
  /** Execution environments that are at work. */
  readonly environments: number;
  readonly memoryMb: number;
}

/**
 * What a queue makes of publishes. Lambda receives whatever there is, without waiting for more, and begins with five batches
 * at one time: only what these cannot take makes batches larger. The requests of an invocation are made side by side, and
 * so are paid once.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
export function queuedLoad(workload: Workload, uplink: Uplink, share: Share): FunctionLoad {
  const pollers = Math.min(firstPollers, share.invocations ?? firstPollers);
  const perRoute = uplink.publishesPerSecond / workload.routes;
  const wanted = (perRoute * durationOf(1, 1, workload, share)) / 1000 / pollers;
  const records = Math.min(functionFacts.recordsPerInvocation, Math.max(1, wanted));
  return loadOf(uplink, { records, rounds: Math.ceil(records / share.parallelRequests), routes: 1 }, workload, share);
}

/** Where the rule of frames invokes the function: a frame each, of all routes. */
export function framesLoad(workload: Workload, uplink: Uplink, share: Share): FunctionLoad {
  const routes = workload.routes * (1 - (1 - 1 / workload.routes) ** uplink.messagesPerPublish);
  return loadOf(uplink, { records: 1, rounds: roundsOf(uplink, share.parallelRequests), routes }, workload, share);
}

/** Where the rule itself invokes the function: a message each. */
export function directLoad(workload: Workload, uplink: Uplink, memoryMb: number): FunctionLoad {
  const share = { invocations: undefined, parallelRequests: 1, memoryMb };
  return loadOf(uplink, { records: 1, rounds: 1, routes: 1 }, workload, share);
}

/**
 * How often one after the other an invocation makes as many requests as it may at one time, on average: a frame has its first
 * message, and of others as many as happen to come (Poisson) while it waits.
 */
function roundsOf({ messagesPerPublish, mostMessages }: Uplink, parallelRequests: number): number {
  if (messagesPerPublish === mostMessages) return Math.ceil(mostMessages / parallelRequests);
  const others = messagesPerPublish - 1;
  let rounds = 0;
  let chance = Math.exp(-others);
  let chanceOfMore = 1;
  for (let messages = 1; messages < mostMessages; messages++) {
    rounds += chance * Math.ceil(messages / parallelRequests);
    chanceOfMore -= chance;
    chance *= others / messages;
  }
  return rounds + chanceOfMore * Math.ceil(mostMessages / parallelRequests);
}

/** What one invocation has: publishes, requests one after the other, and routes. */
interface Invocation {
  readonly records: number;
  readonly rounds: number;
  readonly routes: number;
}

function loadOf(
  uplink: Uplink,
  { records, rounds, routes }: Invocation,
  workload: Workload,
  share: Share,
): FunctionLoad {
  const messagesPerInvocation = records * uplink.messagesPerPublish;
  const durationMs = durationOf(messagesPerInvocation, rounds, workload, share);
  const invocationsPerSecond = uplink.publishesPerSecond / records;
  const atOneTime = (invocationsPerSecond * durationMs) / 1000;
  return {
    ...{ recordsPerInvocation: records, messagesPerInvocation, routesPerInvocation: routes },
    ...{ durationMs, invocationsPerSecond, atOneTime },
    environments: Math.max(1, Math.ceil(atOneTime)),
    memoryMb: share.memoryMb,
  };
}

function durationOf(messages: number, rounds: number, { apiMs }: Workload, { memoryMb }: Share): number {
  const processorMs = (messages * messageMs + invocationMs) * Math.max(1, wholeProcessorMb / memoryMb);
  return rounds * apiMs + processorMs;
}
