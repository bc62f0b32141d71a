import { readJson } from "./json.ts";
import type { Message } from "./message.ts";
import { StepBudget } from "./step-budget.ts";
import { Undefined, type Value } from "./value.ts";

/** The SQL versions a rule may name; each fixes a meaning for as long as the rule exists. */
export const SQL_VERSIONS = ["2015-10-08", "2016-03-23"] as const;
export type SqlVersion = (typeof SQL_VERSIONS)[number];

/** What an expression is evaluated against. */
export class Context {
  readonly message: Message;
  readonly version: SqlVersion;
  /** The values of SET, in order. */
  readonly variables: readonly Value[];
  /** Where paths start within a nested SELECT, one element after the other; it is put back when the SELECT ends. */
  element: Value = Undefined;
  #root: Value | undefined;
  #steps: StepBudget | undefined;

  constructor(message: Message, version: SqlVersion, variables: readonly Value[] = []) {
    this.message = message;
    this.version = version;
    this.variables = variables;
  }

  /**
   * Where paths start outside of nested SELECTs: the payload as JSON, Undefined when it is not JSON. It is parsed when
   * first asked for, because most rules of a fleet never ask.
   */
  get root(): Value {
    if (this.#root === undefined) this.#root = readJson(this.message.payload);
    return this.#root;
  }

  /** What regular expressions and dates may still take. */
  get steps(): StepBudget {
    this.#steps ??= new StepBudget();
    return this.#steps;
  }
}

/** A compiled expression. */
export type Evaluator = (context: Context) => Value;

/** Where paths start: in the payload, or in the element that a nested SELECT reads. */
export function originOf(isNested: boolean): Evaluator {
  return isNested ? ({ element }) => element : ({ root }) => root;
}
