import type { Expression } from "./ast.ts";
import type { Evaluator, SqlVersion } from "./context.ts";
import { SqlError, type SqlErrorCode } from "./errors.ts";
import { MAX_DEPTH } from "./token-reader.ts";

/** Handed to the compilers that expressions call, because they call it in turn. */
export type CompileExpression = (node: Expression, compilation: Compilation) => Evaluator;

/** What the compiler knows of the statement it is in. */
export class Compilation {
  readonly statement: string;
  readonly version: SqlVersion;
  readonly #variables: string[] = [];
  /** One per nested SELECT around the current place, the innermost last. */
  readonly #aliases: (string | undefined)[] = [];
  #depth = 0;

  constructor(statement: string, version: SqlVersion) {
    this.statement = statement;
    this.version = version;
  }

  get isNested(): boolean {
    return this.#aliases.length > 0;
  }

  fail(code: SqlErrorCode, problem: string, index: number, expected?: string): never {
    throw new SqlError(code, problem, { statement: this.statement, index, expected });
  }

  /** @throws {SqlError} `SQL_VERSION` when the rule's version is 2015-10-08 */
  needs2016(what: string, index: number): void {
    if (this.version === "2016-03-23") return;
    const wanted = "awsIotSqlVersion 2016-03-23";
    this.fail("SQL_VERSION", `${what} needs ${wanted}; this rule has ${this.version}`, index, wanted);
  }

  /** Makes a variable known to the expressions behind it. */
  declare(variable: string): void {
    this.#variables.push(variable);
  }

  /** The variable's place among the values of SET. */
  slotOf(variable: string): number | undefined {
    const slot = this.#variables.indexOf(variable);
    return slot < 0 ? undefined : slot;
  }

  /** Runs a compiler inside a nested SELECT, whose source may have an alias. */
  inSubselect<T>(alias: string | undefined, compile: () => T): T {
    this.#aliases.push(alias);
    const compiled = compile();
    this.#aliases.pop();
    return compiled;
  }

  /** Whether the name is that of the element a nested SELECT reads, or of one that an outer one does. */
  roleOf(name: string): "element" | "outer element" | "field" {
    if (this.#aliases.at(-1) === name) return "element";
    return this.#aliases.includes(name) ? "outer element" : "field";
  }

  /**
   * Runs a compiler one level down the tree. A chain such as `a + a + a …` is as deep as it is long, without the
   * parser recursing; evaluation does, so the depth is bounded here again.
   */
  nested<T>(index: number, compile: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.fail("SQL_TOO_DEEP", `expressions nest deeper than ${MAX_DEPTH} levels`, index);
    const compiled = compile();
    this.#depth -= 1;
    return compiled;
  }
}
