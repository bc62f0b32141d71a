import type { SQSRecord } from "aws-lambda";
import type { Scheme } from "../../scheme/scheme.ts";
import type { BatchAnswer } from "../settle-each.ts";
import type { Attempt, AttemptLog } from "../store/attempt-log.ts";
import type { Settlement } from "./attempt.ts";
import { attemptAll, type Gates } from "./attempt-all.ts";
import type { OnlineDevices } from "./online-devices.ts";
import { type OpenedRecord, openRecord } from "./open-record.ts";
import type { Report } from "./report.ts";
import type { Lane, RouteGate } from "./route-gate.ts";
import { type Settled, type SettleOptions, settle } from "./settle.ts";

export interface ForwardBatchOptions extends SettleOptions {
  readonly lane: Lane;
  readonly routes: Scheme["routes"];
  readonly attempt: (opened: OpenedRecord, history: readonly Attempt[]) => Promise<Settlement>;
  readonly attemptLog: Pick<AttemptLog, "read" | "write">;
  readonly gateOf: (route: string) => Pick<RouteGate, "refresh" | "parallelRequests" | "noteDuration" | "settled">;
  readonly report: Report;
  /** Keeps messages as they came, those of the routes that want it. */
  readonly keep: (opened: readonly OpenedRecord[]) => Promise<void>;
  /** Told of devices that send; undefined where nobody wants to know. */
  readonly online?: Pick<OnlineDevices, "heard"> | undefined;
  /** Messages that are under way at one time. */
  readonly parallelRequests: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Seconds until the next try of messages whose history could not be read, or that could not be kept. */
const storeDownSeconds = 30;

/**
 * Forwards the messages of a batch, each settled alone: what is not delivered is named in the answer, so that its queue
 * keeps it, and put off until its next attempt.
 */
export async function forwardBatch(records: readonly SQSRecord[], options: ForwardBatchOptions): Promise<BatchAnswer> {
  const { lane, routes, report, gateOf } = options;
  const opened = records.map((record) => openRecord(record, routes));
  if (lane === "fresh") noteFresh(opened, options);
  const names = [...new Set(opened.map(({ routeName }) => routeName))].filter((name) => routes.has(name));
  const gates = new Map(names.map((name) => [name, gateOf(name)]));
  await Promise.all([...gates.values()].map((gate) => gate.refresh()));
  const settled = await attemptPrepared(opened, gates, options);
  const answer = await settle(settled, options);
  await Promise.all([...gates.values()].map((gate) => gate.settled()));
  // Under load a line for each batch of ten would cost more than their requests; a failure is told at once.
  if (answer.batchItemFailures.length > 0) report.publish();
  else report.publishNowAndThen();
  return answer;
}

/** What is told of a message once: what is tried again says nothing of whether its device is online. */
function noteFresh(opened: readonly OpenedRecord[], { report, online }: ForwardBatchOptions): void {
  for (const { routeName, routed } of opened) {
    report.received(routeName);
    if (online !== undefined && "deviceId" in routed) online.heard(routed);
  }
}

async function attemptPrepared(
  opened: readonly OpenedRecord[],
  gates: Gates,
  options: ForwardBatchOptions,
): Promise<readonly Settled[]> {
  let histories: ReadonlyMap<string, readonly Attempt[]>;
  try {
    histories = await prepare(opened, options);
  } catch (error) {
    options.onError(error);
    const settlement = { kind: "again", delaySeconds: storeDownSeconds } as const;
    return opened.map((each) => ({ opened: each, settlement }));
  }
  const attempt = (each: OpenedRecord) => options.attempt(each, histories.get(each.id) ?? []);
  return await attemptAll(opened, { ...options, attempt, gates });
}

/** What has to be there before anything is attempted: the messages kept, and the histories of those that have one. */
async function prepare(
  opened: readonly OpenedRecord[],
  { lane, keep, attemptLog }: ForwardBatchOptions,
): Promise<ReadonlyMap<string, readonly Attempt[]>> {
  if (lane === "fresh") {
    await keep(opened);
    return new Map();
  }
  const histories = await attemptLog.read([...new Set(opened.map(({ id }) => id))]);
  // Those that were never attempted: they came here because they could not be kept, or are kept already.
  await keep(opened.filter(({ id, message }) => !histories.has(id) && message?.id === undefined));
  return histories;
}
