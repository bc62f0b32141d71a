import type { Evaluation } from "../../sql/compile.ts";
import type { Message } from "../../sql/message.ts";
import type { Value } from "../../sql/value.ts";
import type { EventTarget } from "../services/asynchronous-events.ts";
import type { LedgerEntry } from "../services/ledger.ts";
import type { MessageBroker } from "../services/message-broker.ts";
import type { Queue } from "../services/queue.ts";
import type { Plan, RulePlan } from "../template/plan.ts";
import type { RepublishTopic } from "./republish-topic.ts";

/** What a rule's SQL selected: a JSON value, or bytes that are none. */
export type RuleOutput = Extract<Evaluation, { kind: "json" | "raw" }>;

/** One action of a rule, ready to run. */
export interface Action {
  /** As AWS names it in the report to an error action, e.g. `SqsAction`. */
  readonly name: string;
  /** What it acts on, in the same report. */
  readonly resource: string;
  /** Where what it publishes may reach a rule again. */
  readonly republishesOn?: RepublishTopic;
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
  /** As it came: what substitution templates are about, in an error action too. */
  readonly message: Message;
  /** The values of the rule's SET. */
  readonly variables: readonly Value[] | undefined;
}

/** The rule that an action is of. */
export interface ActionRule extends RulePlan {
  /** The names that its SET assigns. */
  readonly variables: readonly string[];
}

/** What actions act on. */
export interface ActionTargets {
  readonly plan: Plan;
  /** By URL. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** The asynchronous events of a function, by its ARN. */
  readonly events: (functionArn: string) => EventTarget | undefined;
  /** Undefined while there is none. */
  readonly messageBroker: () => MessageBroker | undefined;
  /** Tells the ledger of messages that no queue and no function has. */
  readonly count: (entry: LedgerEntry) => void;
}

/**
 * Makes an action of its properties in the template.
 *
 * @throws {EngineError} for a property that is not performed or a target that does not exist.
 */
export type ActionKind = (properties: unknown, at: string, rule: ActionRule, targets: ActionTargets) => Action;
