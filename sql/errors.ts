export type SqlErrorCode =
  | "SQL_SYNTAX" // the statement does not parse
  | "SQL_UNKNOWN_FUNCTION" // AWS IoT SQL has no function of this name
  | "SQL_FUNCTION_NOT_SUPPORTED" // the function needs an AWS service, which is not there outside AWS
  | "SQL_ARITY" // a function has too few or too many arguments
  | "SQL_VERSION" // the SQL version does not exist, or is older than what the statement uses
  | "SQL_UNSUPPORTED" // valid AWS IoT SQL that is not compiled yet
  | "SQL_TOO_DEEP"; // expressions are nested deeper than MAX_DEPTH

/** Where in a statement something is wrong, and what would have been right. */
export interface SqlLocation {
  readonly statement: string;
  /** The rule's name, where it is known. */
  readonly rule?: string | undefined;
  /** Position in the statement, in UTF-16 code units. */
  readonly index: number;
  readonly expected?: string | undefined;
}

/** A statement that is refused; always the author's mistake or ours, never the message's. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly code: SqlErrorCode;
  /** What is wrong, in a line. */
  readonly problem: string;
  readonly rule: string | undefined;
  readonly statement: string;
  readonly index: number;
  readonly expected: string | undefined;

  constructor(code: SqlErrorCode, problem: string, location: SqlLocation, options?: ErrorOptions) {
    const where = location.rule === undefined ? "" : `rule ${location.rule}: `;
    const isSaid = location.expected === undefined || problem.includes(location.expected);
    const hint = isSaid ? "" : `, expected ${location.expected}`;
    super(`${where}${problem}${hint}\n${caret(location)}`, options);
    this.code = code;
    this.problem = problem;
    this.rule = location.rule;
    this.statement = location.statement;
    this.index = location.index;
    this.expected = location.expected;
  }

  /** The same error, with the rule that the statement is of. */
  of(rule: string): SqlError {
    return new SqlError(this.code, this.problem, { ...this, rule }, { cause: this });
  }
}

// 60 characters before and 40 after the caret: a line of at most 100 fits a terminal beside a log prefix.
const SHOWN_BEFORE = 60;
const SHOWN_AFTER = 40;

/** The line of the statement with what is wrong, and a caret below. */
function caret({ statement, index }: SqlLocation): string {
  const lineStart = statement.lastIndexOf("\n", index - 1) + 1;
  const newline = statement.indexOf("\n", index);
  const start = Math.max(lineStart, index - SHOWN_BEFORE);
  const end = Math.min(newline < 0 ? statement.length : newline, index + SHOWN_AFTER);
  const line = statement.slice(start, end).replaceAll(/\s/g, " ");
  return `  ${line}\n  ${" ".repeat(index - start)}^`;
}
