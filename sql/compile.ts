import type { Select } from "./ast.ts";
import { Compilation } from "./compilation.ts";
import { compileExpression } from "./compile-expression.ts";
import { compileItems, isEverything } from "./compile-select.ts";
import { type Context, SQL_VERSIONS, type SqlVersion } from "./context.ts";
import { SqlError } from "./errors.ts";
import type { Message } from "./message.ts";
import { parseStatement } from "./parser.ts";
import { type JsonValue, Undefined, type Value } from "./value.ts";
import { compileAssignments } from "./variables.ts";

/** A rule's SQL, ready to be evaluated for many messages. */
export interface Statement {
  /** Undefined for a statement without FROM, which only Basic Ingest triggers. */
  readonly topicFilter: string | undefined;
  /** The names that SET assigns, for templates to use. */
  readonly variables: readonly string[];
  /** Evaluates WHERE and SELECT; whether FROM selects the message's topic is the caller's question. Never throws. */
  evaluate(message: Message): Evaluation;
}

export type Evaluation =
  | { readonly kind: "noMatch" }
  | ({ readonly kind: "json"; readonly value: JsonValue } & Assigned)
  /** The payload as it came, for a lone `SELECT *`. */
  | ({ readonly kind: "raw"; readonly bytes: Uint8Array } & Assigned)
  /** SELECT VALUE of something Undefined; alone it is written as an empty string. */
  | ({ readonly kind: "undefined" } & Assigned);

interface Assigned {
  /** The values of SET, in the order of the statement's `variables`; absent where it assigns none. */
  readonly variables?: readonly Value[];
}

export interface CompileOptions {
  /** CloudFormation's default, where a rule names none, is 2015-10-08. */
  readonly version: SqlVersion;
  /** The rule's name, for errors to say. */
  readonly rule?: string;
}

const NO_MATCH: Evaluation = { kind: "noMatch" };
const UNDEFINED: Evaluation = { kind: "undefined" };

/**
 * Compiles an AWS IoT SQL statement.
 *
 * @throws {SqlError} for a statement that does not parse, or that we cannot evaluate as AWS IoT does
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html
 */
export function compileStatement(sql: string, { version, rule }: CompileOptions): Statement {
  return namingRule(rule, () => compile(sql, version));
}

/** Runs a compiler; an error of it says which rule it is about. */
export function namingRule<T>(rule: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof SqlError && rule !== undefined ? error.of(rule) : error;
  }
}

function compile(sql: string, version: SqlVersion): Statement {
  if (!SQL_VERSIONS.includes(version)) {
    const expected = SQL_VERSIONS.join(" or ");
    const problem = `there is no SQL version ${version} here`;
    throw new SqlError("SQL_VERSION", problem, { statement: sql, index: 0, expected });
  }
  const { assignments, select } = parseStatement(sql);
  const compilation = new Compilation(sql, version);
  const createContext = compileAssignments(assignments, compilation);
  const where = select.where && compileExpression(select.where, compilation);
  const evaluateSelect = compileSelect(select, compilation);
  return {
    topicFilter: select.source?.kind === "topicFilter" ? select.source.topicFilter : undefined,
    variables: assignments.map(({ name }) => name),
    evaluate: (message) => {
      const context = createContext(message);
      if (where !== undefined && where(context) !== true) return NO_MATCH;
      const evaluation = evaluateSelect(context);
      return assignments.length === 0 ? evaluation : { ...evaluation, variables: context.variables };
    },
  };
}

function compileSelect(select: Select, compilation: Compilation): (context: Context) => Evaluation {
  if (isEverything(select) && !select.isValue) return ({ message }) => ({ kind: "raw", bytes: message.payload });
  const evaluate = compileItems(select, compilation, compileExpression);
  return (context) => {
    const value = evaluate(context);
    return value === Undefined ? UNDEFINED : { kind: "json", value };
  };
}
