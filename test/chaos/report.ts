import type { EngineCounts } from "../../engine/engine.ts";
import { type Doubt, doubts } from "./doubt.ts";

/** Something that a plan did to a run. */
export interface Disturbance {
  readonly what: string;
  /** Since the first publish. */
  readonly atSeconds: number;
  /** Messages that the broker had acknowledged and the API had not received, at that instant. */
  readonly undelivered: number;
}

/** What a run came to. */
export interface ChaosReport {
  readonly plan: string;
  readonly seed: number;
  readonly published: number;
  readonly acknowledged: number;
  /** Different messages at the API. */
  readonly received: number;
  /** Different messages of the run among the dead letters. */
  readonly dead: number;
  /** Numbers of messages that were acknowledged and are neither at the API nor among the dead letters. */
  readonly missing: readonly number[];
  /** How many may be missing: what the broker is known to lose where it is killed. */
  readonly missingAllowed: number;
  /** Further requests for a message that the API had, with the Idempotency-Key of the first, by what caused them. */
  readonly duplicates: ReadonlyMap<Doubt, number>;
  /** Messages of which there were such requests without a cause. */
  readonly unexplained: readonly number[];
  /** Messages that came again with another key than first. */
  readonly changedKeys: readonly number[];
  /** Further requests with another key where only the device could have told: the broker was killed. */
  readonly renamed: number;
  /** Requests that are no message of the run, or differ from theirs. */
  readonly unexpected: readonly string[];
  readonly disturbances: readonly Disturbance[];
  /** Attempts that the API failed without taking the message. */
  readonly refusedAttempts: number;
  /** Until the last PUBACK. */
  readonly publishSeconds: number;
  /** Until the last message was at the API. */
  readonly deliverSeconds: number;
  /** The engine's own, the last ones of its last process. */
  readonly counts: EngineCounts | undefined;
  /** Why the ledger does not add up: of the running engine, and of what it left on disk. */
  readonly ledgerFaults: readonly string[];
  /** What ended the run early. */
  readonly problem: Error | undefined;
}

/** Why a run has failed; empty for one that has passed. */
export function failuresOf(report: ChaosReport): readonly string[] {
  const { problem, missing, missingAllowed, unexplained, changedKeys, unexpected, counts, ledgerFaults } = report;
  const found: readonly (readonly [isFound: boolean, failure: string])[] = [
    [problem !== undefined, problem?.message ?? ""],
    [missing.length > missingAllowed, `${missing.length} acknowledged messages are missing: ${summary(missing)}`],
    [unexplained.length > 0, `${unexplained.length} came twice without a cause: ${summary(unexplained)}`],
    [changedKeys.length > 0, `${changedKeys.length} came with a second key: ${summary(changedKeys)}`],
    [unexpected.length > 0, `${unexpected.length} requests are not what was sent, the first ${unexpected[0]}`],
    [(counts?.pending ?? 0) > 0, `${counts?.pending} messages are still pending`],
  ];
  return [...found.filter(([isFound]) => isFound).map(([, failure]) => failure), ...ledgerFaults];
}

/** The figures of a run for people, the verdict last. */
export function describeReport(report: ChaosReport): readonly string[] {
  const { plan, published, acknowledged, received, dead, missing, missingAllowed, duplicates, renamed } = report;
  const { publishSeconds, deliverSeconds, disturbances, seed, counts, refusedAttempts, ledgerFaults } = report;
  const failures = failuresOf(report);
  const sum = [...duplicates.values()].reduce((total, count) => total + count, 0);
  return [
    `acknowledged  ${acknowledged} of ${published} in ${rate(acknowledged, publishSeconds)}`,
    `at the API    ${received} in ${rate(received, deliverSeconds)}, disturbances included`,
    `dead letters  ${dead}`,
    `missing       ${summary(missing)}${missingAllowed === 0 ? "" : `; ${missingAllowed} may be`}`,
    `failed        ${refusedAttempts} attempts, whose messages the API did not take`,
    `duplicates    ${sum}, all with the same Idempotency-Key`,
    ...[...duplicates].map(([doubt, count]) => `  ${String(count).padStart(10)}  ${doubts[doubt]}`),
    ...(renamed === 0 ? [] : [`renamed       ${renamed}, which their devices sent again and do not name`]),
    ...(ledgerFaults.length === 0 ? ["ledger        adds up, running and on disk"] : []),
    ...(failures.length === 0 ? [] : [`engine        ${JSON.stringify(counts)}`]),
    failures.length === 0
      ? `PASSED: ${missing.length} of ${acknowledged} acknowledged messages missing, ${disturbances.length} disturbances, plan ${plan}, seed ${seed}`
      : `FAILED: ${failures.join("; ")}, plan ${plan}, seed ${seed}`,
  ];
}

function rate(count: number, seconds: number): string {
  return `${seconds.toFixed(1)} s (${Math.round(count / seconds)}/s)`;
}

function summary(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 10).join(", ");
  return numbers.length > 10 ? `${shown}, … (${numbers.length})` : shown || "none";
}
