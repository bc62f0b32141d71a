import type { Evaluation } from "../../sql/compile.ts";
import type { AsynchronousEvents } from "../services/asynchronous-events.ts";
import type { LedgerEntry } from "../services/ledger.ts";
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
  /**
   * Resolves when AWS would have answered; a message is acknowledged to the broker only then. The ledger counts what the
   * action took.
   */
  run(output: RuleOutput, context: ActionContext): Promise<unknown> | undefined;
}

export interface ActionContext {
  /** The id that the message gets in a queue, the same one when the broker delivers it again. */
  readonly messageId: string;
  /** Whether the output is the report of an error action: the message is dead. */
  readonly isReport: boolean;
}

/** What actions act on. */
export interface ActionTargets {
  readonly plan: Plan;
  /** By URL. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** The asynchronous events of a function, by its ARN. */
  readonly events: (functionArn: string) => AsynchronousEvents | undefined;
  /** Tells the ledger of messages that no queue and no function has. */
  readonly count: (entry: LedgerEntry) => void;
}

/**
 * Makes an action of its properties in the template.
 *
 * @throws {EngineError} for a property that is not performed or a target that does not exist.
 */
export type ActionKind = (properties: unknown, at: string, rule: RulePlan, targets: ActionTargets) => Action;
