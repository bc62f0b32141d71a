import { SqlError } from "./errors.ts";
import { KEYWORDS, type Keyword, type Token, type TokenKind } from "./token.ts";

const KEYWORD_SET: ReadonlySet<string> = new Set(KEYWORDS);

const SPACE = /\s*/y;
const TOKENS: readonly (readonly [TokenKind, RegExp])[] = [
  ["word", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["variable", /@[A-Za-z0-9_]+/y],
  ["number", /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy],
  ["symbol", /<>|<=|>=|[=<>+\-*/%(),.[\]{}:]/y],
];

/**
 * Reads the token at an index. Tokens are read one at a time, so that a template's `${…}` ends where its expression does.
 *
 * A string runs to the next quote of its kind. The reference documents no escapes, so a backslash stands for itself.
 *
 * @throws {SqlError} `SQL_SYNTAX`
 */
export function readToken(statement: string, from: number): Token {
  SPACE.lastIndex = from;
  SPACE.test(statement);
  const index = SPACE.lastIndex;
  const character = statement[index];
  if (character === undefined) return token("end", "", index, index);
  if (character === "'" || character === '"') return readString(statement, index, character);
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = index;
    const text = pattern.exec(statement)?.[0];
    if (text !== undefined) return token(kind, kind === "variable" ? text.slice(1) : text, index, index + text.length);
  }
  const { found, expected } = describeCharacter(statement, index);
  throw new SqlError("SQL_SYNTAX", `unexpected ${found}`, { statement, index, expected });
}

function readString(statement: string, index: number, quote: string): Token {
  const close = statement.indexOf(quote, index + 1);
  if (close < 0) {
    throw new SqlError("SQL_SYNTAX", "the string is not terminated", { statement, index, expected: quote });
  }
  return token("string", statement.slice(index + 1, close), index, close + 1);
}

function token(kind: TokenKind, text: string, index: number, end: number): Token {
  return { kind, text: asKey(text), keyword: kind === "word" ? keywordOf(text) : undefined, index, end };
}

/**
 * The same text as V8 keeps the keys of objects. A text cut out of another is none yet, and an object that is asked for it
 * looks it up among all keys first, every time: a nested SELECT over 20 elements took an eighth longer.
 */
function asKey(text: string): string {
  const [key = text] = Object.keys({ [text]: true });
  return key;
}

function keywordOf(word: string): Keyword | undefined {
  const upper = word.toUpperCase();
  return KEYWORD_SET.has(upper) ? (upper as Keyword) : undefined;
}

function describeCharacter(statement: string, index: number): { found: string; expected: string } {
  const character = String.fromCodePoint(statement.codePointAt(index) ?? 0);
  if (character === "!") return { found: "!, not equal is written <>", expected: "<>" };
  if (/\d/.test(character)) return { found: "character in a number", expected: "a number such as 1.5 or 2E3" };
  return { found: JSON.stringify(character), expected: "a name, a number, a string or an operator" };
}
