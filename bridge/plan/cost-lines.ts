import { bytesPerGb, type CostLine, gbSeconds, idleReceivesPerSecond, line, platformLogBytes } from "./cost-line.ts";
import { fixedLines } from "./fixed-lines.ts";
import { type FunctionLoad, functionFacts } from "./functions.ts";
import { prices } from "./prices.ts";
import type { Uplink } from "./uplink.ts";
import { activeSecondsPerMonth, messagesPerMonth, minutesPerMonth, type Workload } from "./workload.ts";

/** What costs beside messages and requests. */
export interface CostOptions {
  /** Days that routes keep their messages; 0 for not at all. */
  readonly keepDays: number;
  readonly hasLease: boolean;
  /** Whether devices are sent commands, so that `forward` looks who is online. */
  readonly hasCommands: boolean;
  /** Where the API is. */
  readonly api: "region" | "internet";
}

const meteredBytes = 5_120;
const chunkBytes = 65_536;
/** What a topic rule writes beside the payload, which is in base64: names, topic, time, ids. */
const columnBytes = 400;

/** A line of metrics in CloudWatch's embedded format, Received and Delivered of one route: 271 bytes, metered with 26 more. */
const metricLogBytes = 297;

/** A request's line, fields and TLS beside its body. */
const requestBytes = 500;

/** Of an item beside its payload and its SQS message: keys, topic, times. */
const itemBytes = 300;
const writeBytes = 1_024;

/** Of an event beside the frame, which is in base64: names, and the connection's client id. */
const eventFieldBytes = 100;

/** Every line of a design whose rules write to queues. */
export function queuedLines(
  workload: Workload,
  uplink: Uplink,
  load: FunctionLoad,
  options: CostOptions,
): readonly CostLine[] {
  const seconds = activeSecondsPerMonth(workload);
  const publishes = uplink.publishesPerSecond * seconds;
  const invocations = load.invocationsPerSecond * seconds;
  const body = bodyBytes(uplink.payloadBytes);
  const chunks = (bytes: number) => Math.max(1, Math.ceil(bytes / chunkBytes));
  const receives = Math.max(invocations, workload.routes * idleReceivesPerSecond * seconds);
  const sqs = publishes * chunks(body) + receives * chunks(body * load.recordsPerInvocation) + invocations;
  return [
    ...basicIngestLines(uplink, publishes),
    line("SQS: send, receive, delete", prices.sqs, sqs),
    line("Lambda requests", prices.invocations, invocations),
    ...forwardLines(workload, uplink, load, options),
    ...fixedLines(workload, "bridge"),
  ];
}

/** Every line of a design whose rule of frames invokes the function. */
export function framesLines(
  workload: Workload,
  uplink: Uplink,
  load: FunctionLoad,
  options: CostOptions,
): readonly CostLine[] {
  const frames = uplink.publishesPerSecond * activeSecondsPerMonth(workload);
  return [
    ...basicIngestLines(uplink, frames),
    // One each: only what an event has beyond 256 KB is metered apart, and the largest frame makes 175 KB.
    line("Lambda requests, asynchronous", prices.invocations, frames),
    ...forwardLines(workload, uplink, load, options),
    ...fixedLines(workload, "relay"),
  ];
}

/** Every line of the design that this one is compared with: no Basic Ingest, and a function of 128 MB for each message. */
export function seedLines(
  workload: Workload,
  uplink: Uplink,
  load: FunctionLoad,
  options: CostOptions,
): readonly CostLine[] {
  const seconds = activeSecondsPerMonth(workload);
  const publishes = uplink.publishesPerSecond * seconds;
  return [
    line("IoT Core connectivity", prices.connectivity, uplink.connections * minutesPerMonth),
    line("IoT Core messaging", prices.messaging, publishes * steps(uplink.payloadBytes)),
    ...ruleLines(uplink, publishes),
    line("Lambda requests", prices.invocations, publishes),
    line("Lambda duration", prices.durationX86, gbSeconds(publishes, load.durationMs, load.memoryMb)),
    ...logLines(publishes * platformLogBytes),
    ...dataLines(workload, publishes * uplink.packetBytes, options),
  ];
}

/** Of the function that each message invokes in the design that is compared with. */
export const seedMemoryMb = 128;

/** Bytes that a topic rule sends to a queue for a publish. */
export function bodyBytes(payloadBytes: number): number {
  return base64Bytes(payloadBytes) + columnBytes;
}

/** Bytes that the rule of frames hands to Lambda for a publish. */
export function eventBytes(payloadBytes: number): number {
  return base64Bytes(payloadBytes) + eventFieldBytes;
}

/** Writes of a message, in units of DynamoDB. */
export function writesPerMessage(
  { payloadBytes }: Workload,
  { keepDays, hasLease }: Pick<CostOptions, "keepDays" | "hasLease">,
): number {
  const kept = keepDays > 0 ? Math.ceil(keptBytes(payloadBytes) / writeBytes) : 0;
  return kept + (hasLease ? functionFacts.leaseWrites : 0);
}

function basicIngestLines(uplink: Uplink, publishes: number): readonly CostLine[] {
  return [
    line("IoT Core connectivity", prices.connectivity, uplink.connections * minutesPerMonth),
    line("IoT Core messaging (Basic Ingest: none)", prices.messaging, 0),
    ...ruleLines(uplink, publishes),
  ];
}

/** Of the function beside its requests, of what it reads and writes, and of the messages' way. */
function forwardLines(
  workload: Workload,
  uplink: Uplink,
  load: FunctionLoad,
  options: CostOptions,
): readonly CostLine[] {
  const seconds = activeSecondsPerMonth(workload);
  const invocations = load.invocationsPerSecond * seconds;
  const metricLines = oncePer(functionFacts.metricLineMs, load, workload.routes) * seconds;
  return [
    line("Lambda duration", prices.durationArm, gbSeconds(invocations, load.durationMs, load.memoryMb)),
    ...storeLines(workload, uplink, load, options),
    ...logLines(invocations * platformLogBytes + metricLines * metricLogBytes),
    ...dataLines(workload, uplink.publishesPerSecond * seconds * uplink.packetBytes, options),
  ];
}

function ruleLines({ payloadBytes }: Uplink, publishes: number): readonly CostLine[] {
  const metered = publishes * steps(payloadBytes);
  return [
    line("IoT Core rules triggered", prices.rules, metered),
    line("IoT Core rule actions", prices.actions, metered),
  ];
}

function storeLines(workload: Workload, uplink: Uplink, load: FunctionLoad, options: CostOptions): readonly CostLine[] {
  const seconds = activeSecondsPerMonth(workload);
  const { stateReadMs, openRequestsReadMs, successNoteMs } = functionFacts;
  const openReads = options.hasCommands ? oncePer(openRequestsReadMs, { ...load, routesPerInvocation: 1 }, 1) : 0;
  const reads = (oncePer(stateReadMs, load, workload.routes) + openReads) * seconds;
  const notes = oncePer(successNoteMs, load, workload.routes) * seconds;
  const messages = uplink.publishesPerSecond * uplink.messagesPerPublish * seconds;
  const stored =
    options.keepDays === 0 ? 0 : messages * keptBytes(workload.payloadBytes) * (options.keepDays / (365 / 12));
  return [
    line("DynamoDB reads", prices.reads, reads),
    line("DynamoDB writes", prices.writes, notes + messages * writesPerMessage(workload, options)),
    line("DynamoDB storage", prices.storage, stored / bytesPerGb),
  ];
}

/** How often in a second something happens that each environment does for a route once per time at most, when it has its messages. */
function oncePer(timeMs: number, load: FunctionLoad, routes: number): number {
  const { invocationsPerSecond, routesPerInvocation, environments } = load;
  return Math.min(invocationsPerSecond * routesPerInvocation, (routes * environments * 1000) / timeMs);
}

/** Kept for a month (`infra/trestle-function.ts`). */
function logLines(bytes: number): readonly CostLine[] {
  return [
    line("CloudWatch Logs", prices.logs, bytes / bytesPerGb),
    line("CloudWatch Logs, kept a month", prices.logStorage, bytes / bytesPerGb),
  ];
}

function dataLines(workload: Workload, bytesIn: number, { api }: CostOptions): readonly CostLine[] {
  const bytesOut = messagesPerMonth(workload) * (workload.payloadBytes + requestBytes);
  return [
    line("data into IoT Core", prices.dataIn, bytesIn / bytesPerGb),
    api === "internet"
      ? line("data to the API, by the internet", prices.dataOut, bytesOut / bytesPerGb)
      : line("data to the API, in the Region", prices.dataIn, bytesOut / bytesPerGb),
  ];
}

function keptBytes(payloadBytes: number): number {
  return payloadBytes + bodyBytes(payloadBytes) + itemBytes;
}

function base64Bytes(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

function steps(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / meteredBytes));
}
