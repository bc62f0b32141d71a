import type { Evaluation } from "../../sql/compile.ts";
import type { AsynchronousEvents } from "../services/asynchronous-events.ts";
import type { Queue } from "../services/queue.ts";
import type { Plan, RulePlan } from "../template/plan.ts";

/** What a rule's SQL selected: a JSON value, or bytes that are none. */
export type RuleOutput = Extract<Evaluation, { kind: "json" | "raw" }>;

/** One action of a rule, ready to run. */
export interface Action {
  /** As AWS names it in the report to an error action, e.g. `SqsAction`. */
  readonly name: string;
  /** What it acts on, in the same report. */
  readonly resource: string;
  /** Resolves when AWS would have answered; a message is acknowledged to the broker only then. */
  run(output: RuleOutput): Promise<void> | void;
}

/** What actions act on. */
export interface ActionTargets {
  readonly plan: Plan;
  /** By URL. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** The asynchronous events of a function, by its ARN. */
  readonly events: (functionArn: string) => AsynchronousEvents | undefined;
}

/**
 * Makes an action of its properties in the template.
 *
 * @throws {EngineError} for a property that is not performed or a target that does not exist.
 */
export type ActionKind = (properties: unknown, at: string, rule: RulePlan, targets: ActionTargets) => Action;
