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

/** What a function has to work with: of `api.maxConcurrency`, the part of the fresh messages of a route. */
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
  const wanted = (perRoute * durationOf(uplink.messagesPerPublish, workload, share)) / 1000 / pollers;
  return loadOf(uplink, Math.min(functionFacts.recordsPerInvocation, Math.max(1, wanted)), workload, share);
}

/** Where the rule itself invokes the function: a message each. */
export function directLoad(workload: Workload, uplink: Uplink, memoryMb: number): FunctionLoad {
  return loadOf(uplink, 1, workload, { invocations: undefined, parallelRequests: 1, memoryMb });
}

function loadOf(uplink: Uplink, recordsPerInvocation: number, workload: Workload, share: Share): FunctionLoad {
  const messagesPerInvocation = recordsPerInvocation * uplink.messagesPerPublish;
  const durationMs = durationOf(messagesPerInvocation, workload, share);
  const invocationsPerSecond = uplink.publishesPerSecond / recordsPerInvocation;
  const atOneTime = (invocationsPerSecond * durationMs) / 1000;
  return {
    ...{ recordsPerInvocation, messagesPerInvocation, durationMs, invocationsPerSecond, atOneTime },
    environments: Math.max(1, Math.ceil(atOneTime)),
    memoryMb: share.memoryMb,
  };
}

function durationOf(messages: number, { apiMs }: Workload, { parallelRequests, memoryMb }: Share): number {
  const processorMs = (messages * messageMs + invocationMs) * Math.max(1, wholeProcessorMb / memoryMb);
  return Math.ceil(messages / parallelRequests) * apiMs + processorMs;
}
