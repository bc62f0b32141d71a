import { readJson } from "./json.ts";
import type { Message } from "./message.ts";
import { StepBudget } from "./step-budget.ts";
import type { Value } from "./value.ts";

/** The SQL versions a rule may name; each fixes a meaning for as long as the rule exists. */
export const SQL_VERSIONS = ["2015-10-08", "2016-03-23"] as const;
export type SqlVersion = (typeof SQL_VERSIONS)[number];

/** What an expression is evaluated against. */
export class Context {
  readonly message: Message;
  readonly version: SqlVersion;
  /** The values of SET, in order. */
  readonly variables: readonly Value[];
  #root: Value | undefined;
  #steps: StepBudget | undefined;
  readonly #outer: Context | undefined;

  constructor(message: Message, version: SqlVersion, variables: readonly Value[] = [], outer?: Context) {
    this.message = message;
    this.version = version;
    this.variables = variables;
    this.#outer = outer;
  }

  /**
   * Where paths start, at first the payload as JSON, Undefined when it is not JSON. It is parsed when first asked for,
   * because most rules of a fleet never ask.
   */
  get root(): Value {
    if (this.#root === undefined) this.#root = readJson(this.message.payload);
    return this.#root;
  }

  /** What regular expressions may still take; shared with the contexts of elements. */
  get steps(): StepBudget {
    this.#steps ??= this.#outer?.steps ?? new StepBudget();
    return this.#steps;
  }

  /** For the elements that a nested SELECT reads, one after the other: paths start where `moveTo` said last. */
  forElements(): Context {
    return new Context(this.message, this.version, this.variables, this);
  }

  moveTo(root: Value): void {
    this.#root = root;
  }
}

/** A compiled expression. */
export type Evaluator = (context: Context) => Value;
