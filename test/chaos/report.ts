import type { EngineCounts } from "../../engine/engine.ts";

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
  readonly seed: number;
  readonly messages: number;
  readonly acknowledged: number;
  /** Different messages at the API. */
  readonly received: number;
  /** Numbers of messages that were acknowledged and are not at the API. */
  readonly missing: readonly number[];
  /** Further requests for a message that was at the API, with the Idempotency-Key of its first request. */
  readonly duplicatesWithSameKey: number;
  /**
   * The same with another key: the broker delivered the message once more, since the kill came between its first
   * durable write and the PUBACK. Never where the device names its messages.
   */
  readonly duplicatesWithOtherKey: number;
  /** Requests that are no message of the run, or differ from theirs. */
  readonly unexpected: number;
  readonly disturbances: readonly Disturbance[];
  /** Until the last PUBACK. */
  readonly publishSeconds: number;
  /** Until the last message was at the API. */
  readonly deliverSeconds: number;
  /** The engine's own, the last ones of its last process. */
  readonly counts: EngineCounts | undefined;
  /** What ended the run early. */
  readonly problem: Error | undefined;
}

/** Why a run has failed; empty for one that has passed. */
export function failuresOf({ problem, missing, unexpected, counts }: ChaosReport): readonly string[] {
  const dead = counts?.dead ?? 0;
  return [
    ...(problem === undefined ? [] : [problem.message]),
    ...(missing.length === 0 ? [] : [`${missing.length} acknowledged messages are missing`]),
    ...(unexpected === 0 ? [] : [`${unexpected} requests are not what was sent`]),
    ...(dead === 0 ? [] : [`${dead} messages are dead letters`]),
  ];
}

/** The figures of a run for people, the verdict last. */
export function describeReport(report: ChaosReport): readonly string[] {
  const { messages, acknowledged, received, missing, duplicatesWithSameKey, duplicatesWithOtherKey } = report;
  const { publishSeconds, deliverSeconds, disturbances, seed, counts } = report;
  const failures = failuresOf(report);
  return [
    `acknowledged  ${acknowledged} of ${messages} in ${rate(acknowledged, publishSeconds)}`,
    `at the API    ${received} in ${rate(received, deliverSeconds)}, restarts included`,
    `duplicates    ${duplicatesWithSameKey} with the same Idempotency-Key, ${duplicatesWithOtherKey} with another`,
    ...(failures.length === 0 ? [] : [`missing       ${summary(missing)}`, `engine        ${JSON.stringify(counts)}`]),
    failures.length === 0
      ? `PASSED: 0 of ${acknowledged} acknowledged messages missing, ${disturbances.length} disturbances, seed ${seed}`
      : `FAILED: ${failures.join("; ")}, seed ${seed}`,
  ];
}

function rate(count: number, seconds: number): string {
  return `${seconds.toFixed(1)} s (${Math.round(count / seconds)}/s)`;
}

function summary(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 10).join(", ");
  return numbers.length > 10 ? `${shown}, … (${numbers.length})` : shown || "none";
}
