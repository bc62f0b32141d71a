import { compileStatement, type Statement } from "../sql/compile.ts";
import type { SqlVersion } from "../sql/context.ts";
import { SqlError } from "../sql/errors.ts";
import type { Message } from "../sql/message.ts";
import type { Action, ActionContext, ActionTargets, RuleOutput } from "./actions/action.ts";
import { makeAction } from "./actions/kinds.ts";
import type { RepublishTopic } from "./actions/republish-topic.ts";
import { EngineError } from "./engine-error.ts";
import { deriveMessageId } from "./message-id.ts";
import { TooManyEvents } from "./services/asynchronous-events.ts";
import { StorageError } from "./services/change.ts";
import type { LedgerColumn, LedgerEntry } from "./services/ledger.ts";
import type { RulePlan } from "./template/plan.ts";

/** A message that no action has, nor the error action. */
export class RuleFailure extends Error {
  override readonly name = "RuleFailure";
  /** Whether the same message may be taken later. Where not, AWS loses it, and so do we. */
  readonly isRetryable: boolean;

  constructor(message: string, isRetryable: boolean) {
    super(message);
    this.isRetryable = isRetryable;
  }
}

/** A topic rule, compiled: SQL and actions. */
export class Rule {
  readonly logicalId: string;
  readonly name: string;
  /** What of the ordinary topics it selects; a rule without FROM is reached by Basic Ingest only. */
  readonly topicFilter: string | undefined;
  readonly counts = { matched: 0, failed: 0, dead: 0, lost: 0 };
  readonly #statement: Statement;
  readonly #actions: readonly Action[];
  readonly #errorAction: Action | undefined;
  readonly #count: ActionTargets["count"];
  readonly #entries: Readonly<Record<"filtered" | "dropped" | "lost", LedgerEntry>>;

  /** @throws {EngineError} `ERR_SQL`, `ERR_ACTION_UNSUPPORTED` and what an action refuses, naming the logical ID. */
  constructor(plan: RulePlan, targets: ActionTargets) {
    this.logicalId = plan.logicalId;
    this.name = plan.name;
    this.#statement = compile(plan);
    this.topicFilter = this.#statement.topicFilter;
    const rule = { ...plan, variables: this.#statement.variables };
    this.#actions = plan.actions.map((action) => makeAction(action, rule, targets));
    this.#errorAction = plan.errorAction && makeAction(plan.errorAction, rule, targets);
    this.#count = targets.count;
    const entry = (column: LedgerColumn) => ({ account: plan.name, amounts: { received: 1, [column]: 1 } });
    this.#entries = { filtered: entry("filtered"), dropped: entry("dropped"), lost: entry("lost") };
  }

  /** Where its actions, and its error action, publish. */
  get republishesOn(): readonly RepublishTopic[] {
    return [...this.#actions, this.#errorAction].flatMap((action) => action?.republishesOn ?? []);
  }

  /**
   * Evaluates a message and runs the actions; resolves when all are done. A failed action runs the error action once
   * with all failures, unless the message comes again; a failure of the SQL runs nothing, as on AWS.
   *
   * @param messageId The message's in a queue. What a queue is sent is staged before this function returns.
   * @param comesAgain Whether a message that cannot be kept now is brought again: one of QoS 1 by its broker.
   * @throws {RuleFailure} where the error action failed too, or there is none: nobody has the message then.
   */
  async run(message: Message, messageId: string, comesAgain: boolean): Promise<void> {
    const output = this.#statement.evaluate(message);
    if (output.kind === "noMatch" || output.kind === "undefined") {
      this.#count(this.#entries.filtered);
      return;
    }
    this.counts.matched += 1;
    const context = { messageId, isReport: false, message, variables: output.variables };
    const failures = await this.#act(output, context);
    if (failures.length === 0) return;
    this.counts.failed += 1;
    // Of a full disk the broker is asked again, and no dead letter made, for which there may be room a moment later.
    const unwritten = failures.find(({ error }) => error instanceof StorageError);
    if (comesAgain && unwritten !== undefined) throw failureOf(this.name, unwritten, true);
    const failure = await this.#report(context, failures);
    if (failure === undefined) {
      this.counts.dead += 1;
      return;
    }
    const isRetryable = [...failures, failure].some(({ error }) => error instanceof StorageError);
    if (!isRetryable || !comesAgain) {
      this.counts.lost += 1;
      // A message of QoS 0 for which there is no room may go.
      const isDropped = isRetryable || failure.error instanceof TooManyEvents;
      this.#count(isDropped ? this.#entries.dropped : this.#entries.lost);
    }
    throw failureOf(this.name, failure, isRetryable);
  }

  async #act(output: RuleOutput, context: ActionContext): Promise<readonly Failure[]> {
    const [action, another] = this.#actions;
    // Most rules have one: on the way of every message, promises are what costs.
    const attempts =
      action !== undefined && another === undefined
        ? [await attempt(action, output, context)]
        : await Promise.all(
            this.#actions.map((each, index) =>
              attempt(each, output, { ...context, messageId: deriveMessageId(context.messageId, String(index)) }),
            ),
          );
    return attempts.filter((failure) => failure !== undefined);
  }

  /** @see https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html */
  async #report(context: ActionContext, failures: readonly Failure[]): Promise<Failure | undefined> {
    if (this.#errorAction === undefined) return failures[0];
    const { message } = context;
    const value = {
      ruleName: this.name,
      topic: message.topic,
      cloudwatchTraceId: message.traceId,
      clientId: message.clientId ?? "N/A",
      base64OriginalPayload: Buffer.from(message.payload).toString("base64"),
      failures: failures.map(({ action, error }) => ({
        failedAction: action.name,
        failedResource: action.resource,
        errorMessage: messageOf(error),
      })),
    };
    return attempt(this.#errorAction, { kind: "json", value }, { ...context, isReport: true });
  }
}

interface Failure {
  readonly action: Action;
  readonly error: unknown;
}

function failureOf(ruleName: string, { error }: Failure, isRetryable: boolean): RuleFailure {
  return new RuleFailure(`${ruleName}: ${messageOf(error)}`, isRetryable);
}

async function attempt(action: Action, output: RuleOutput, context: ActionContext): Promise<Failure | undefined> {
  try {
    await action.run(output, context);
    return undefined;
  } catch (error) {
    return { action, error };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function compile({ logicalId, sql, sqlVersion }: RulePlan): Statement {
  try {
    return compileStatement(sql, { version: sqlVersion as SqlVersion });
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new EngineError("ERR_SQL", `${logicalId}: ${error.message}`, { cause: error });
  }
}
