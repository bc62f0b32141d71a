import { SqlError, type SqlErrorCode } from "./errors.ts";
import { readToken } from "./lexer.ts";
import type { Keyword, Token } from "./token.ts";

/**
 * How deep expressions may nest: 500 levels take about 2 000 of the 10 000 frames of Node's default stack,
 * and 20 times what a person writes.
 */
export const MAX_DEPTH = 500;

/** The tokens of a statement, one at a time. */
export class TokenReader {
  readonly statement: string;
  #current: Token;
  #depth = 0;

  constructor(statement: string, from = 0) {
    this.statement = statement;
    this.#current = readToken(statement, from);
  }

  get current(): Token {
    return this.#current;
  }

  /** The token behind the current one. */
  peek(): Token {
    return readToken(this.statement, this.#current.end);
  }

  /** Returns the current token and moves to the next. */
  take(): Token {
    const token = this.#current;
    this.#current = readToken(this.statement, token.end);
    return token;
  }

  is(expected: Keyword | (string & {})): boolean {
    return isToken(this.#current, expected);
  }

  /** Takes the current token if it is the expected keyword or symbol. */
  accept(expected: Keyword | (string & {})): boolean {
    const isNext = this.is(expected);
    if (isNext) this.take();
    return isNext;
  }

  expect(expected: Keyword | (string & {})): Token {
    if (!this.is(expected)) this.failExpecting(expected);
    return this.take();
  }

  /** A word, also one that is a keyword elsewhere: behind `.` and AS it cannot be mistaken. */
  expectWord(role: string): string {
    if (this.#current.kind !== "word") this.failExpecting(role);
    return this.take().text;
  }

  failExpecting(expected: string): never {
    this.fail("SQL_SYNTAX", `expected ${expected}, found ${describe(this.#current)}`, this.#current.index, expected);
  }

  fail(code: SqlErrorCode, problem: string, index: number, expected?: string): never {
    throw new SqlError(code, problem, { statement: this.statement, index, expected });
  }

  /** Runs a parser one level deeper. */
  nested<T>(parse: (reader: TokenReader) => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      this.fail("SQL_TOO_DEEP", `expressions nest deeper than ${MAX_DEPTH} levels`, this.#current.index);
    }
    const parsed = parse(this);
    this.#depth -= 1;
    return parsed;
  }
}

export function isToken(token: Token, expected: string): boolean {
  return token.keyword === expected || (token.kind === "symbol" && token.text === expected);
}

function describe(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end of the statement";
    case "string":
      return `the string ${JSON.stringify(token.text)}`;
    case "variable":
      return `the variable @${token.text}`;
    case "number":
    case "symbol":
    case "word":
      return token.text;
    default:
      return token.kind satisfies never;
  }
}
