import { randomUUID } from "node:crypto";
import type { SchedulePlan } from "../template/plan.ts";
import type { Clock, Timer } from "./clock.ts";

export interface ScheduleOptions {
  /** How long a minute of the schedule takes. */
  readonly minuteMs: number;
  readonly region: string;
  readonly accountId: string;
  readonly clock: Clock;
}

/** Takes an event, as JSON text; gives back a promise where that takes time. */
type ScheduleTarget = (event: string) => unknown;

/**
 * An EventBridge rule that is due at a rate; disposal ends it.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export class Schedule implements Disposable {
  readonly #plan: SchedulePlan;
  readonly #options: ScheduleOptions;
  readonly #targets: readonly ScheduleTarget[];
  readonly #everyMs: number;
  #dueAt: number;
  #timer: Timer | undefined;

  constructor(plan: SchedulePlan, options: ScheduleOptions, targets: readonly ScheduleTarget[]) {
    this.#plan = plan;
    this.#options = options;
    this.#targets = targets;
    this.#everyMs = plan.minutes * options.minuteMs;
    this.#dueAt = options.clock.now();
  }

  /** The first time is now: a function that looks after something does so from the start. */
  start(): void {
    if (this.#plan.isEnabled) this.#fireWhenDue();
  }

  [Symbol.dispose](): void {
    this.#timer?.clear();
  }

  /** A timer may end before its time, where that is longer than timers are. */
  #fireWhenDue(): void {
    const { now, setTimer } = this.#options.clock;
    if (now() >= this.#dueAt) {
      this.#fire();
      // Not one time for each that was missed while the machine slept.
      this.#dueAt = Math.max(this.#dueAt + this.#everyMs, now());
    }
    this.#timer = setTimer(() => this.#fireWhenDue(), this.#dueAt - now());
  }

  #fire(): void {
    const event = this.#event();
    for (const target of this.#targets) void handOver(target, event);
  }

  /** @see https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-eventbridge.html, "Scheduled Event" */
  #event(): string {
    const { accountId, region, clock } = this.#options;
    return JSON.stringify({
      version: "0",
      id: randomUUID(),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: accountId,
      time: new Date(clock.now()).toISOString().replace(/\.\d+/, ""),
      region,
      resources: [this.#plan.arn],
      detail: {},
    });
  }
}

async function handOver(target: ScheduleTarget, event: string): Promise<void> {
  try {
    await target(event);
  } catch {
    // Memory or the disk has no room for the event. EventBridge would try again; here the next time will.
  }
}
