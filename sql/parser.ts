import { filterProblem } from "../scheme/topic-filter.ts";
import type {
  Assignment,
  BinaryOperator,
  CaseBranch,
  Expression,
  ObjectMember,
  Select,
  SelectItem,
  Source,
  StatementNode,
  Subselect,
} from "./ast.ts";
import { BINDING_POWER, NEGATION_POWER, NOT_POWER } from "./binding-power.ts";
import { parseNumber } from "./decimal.ts";
import type { Token } from "./token.ts";
import { isToken, MAX_DEPTH, TokenReader } from "./token-reader.ts";

/** Behind `SELECT value` these say that `value` is a field of the payload and not the keyword. */
const AFTER_FIELD_NAMED_VALUE = [
  ".",
  ",",
  "AS",
  "FROM",
  "WHERE",
  "+",
  "/",
  "%",
  "=",
  "<>",
  "<",
  "<=",
  ">",
  ">=",
  "AND",
  "OR",
  "IN",
];

/**
 * Parses a whole statement. The grammar is all of AWS IoT SQL; the compiler refuses what it does not know yet.
 *
 * @throws {SqlError} `SQL_SYNTAX`, `SQL_TOO_DEEP`
 */
export function parseStatement(statement: string): StatementNode {
  const reader = new TokenReader(statement);
  const assignments = reader.accept("SET") ? list(reader, assignment) : [];
  const parsed = select(reader);
  if (parsed.source?.kind === "path") {
    reader.fail("SQL_SYNTAX", "FROM takes a topic filter in quotes", parsed.source.index, "a topic filter in quotes");
  }
  if (reader.current.kind !== "end") reader.failExpecting(whatMayFollow(parsed));
  return { assignments, select: parsed };
}

/**
 * Parses the expression of a template's `${…}`, which starts at an index.
 *
 * @returns the expression, and the index behind its closing brace
 * @throws {SqlError} `SQL_SYNTAX`, `SQL_TOO_DEEP`
 */
export function parseTemplateExpression(template: string, from: number): { expression: Expression; end: number } {
  const reader = new TokenReader(template, from);
  const parsed = expression(reader);
  if (!reader.is("}")) reader.failExpecting("an operator or }");
  return { expression: parsed, end: reader.current.end };
}

function whatMayFollow({ source, where }: Select): string {
  if (where !== undefined) return "an operator or the end of the statement";
  return source === undefined ? "FROM, WHERE or the end of the statement" : "WHERE or the end of the statement";
}

function assignment(reader: TokenReader): Assignment {
  const { index, text, kind } = reader.current;
  if (kind !== "variable") reader.failExpecting("a variable such as @name");
  reader.take();
  reader.expect("=");
  return { index, name: text, value: expression(reader) };
}

function select(reader: TokenReader): Select {
  const { index } = reader.expect("SELECT");
  const isValue = isValueKeyword(reader.current, reader.peek());
  if (isValue) reader.take();
  const items = list(reader, selectItem);
  const source = reader.accept("FROM") ? fromClause(reader) : undefined;
  const where = reader.accept("WHERE") ? expression(reader) : undefined;
  return { kind: "select", index, isValue, items, source, where };
}

function isValueKeyword(token: Token, next: Token): boolean {
  if (token.kind !== "word" || token.text.toUpperCase() !== "VALUE" || next.kind === "end") return false;
  return !AFTER_FIELD_NAMED_VALUE.some((expected) => isToken(next, expected));
}

function selectItem(reader: TokenReader): SelectItem {
  const { index } = reader.current;
  if (reader.accept("*")) return { kind: "all", index };
  return {
    kind: "column",
    index,
    expression: expression(reader),
    alias: reader.accept("AS") ? alias(reader) : undefined,
  };
}

function alias(reader: TokenReader): readonly string[] {
  const { index } = reader.current;
  const levels = [reader.expectWord("an alias")];
  while (reader.accept(".")) levels.push(reader.expectWord("an alias"));
  if (levels.length > MAX_DEPTH) reader.fail("SQL_TOO_DEEP", `an alias has more than ${MAX_DEPTH} levels`, index);
  return levels;
}

function fromClause(reader: TokenReader): Source {
  const { index, kind } = reader.current;
  if (kind === "string") {
    const topicFilter = reader.take().text;
    const problem = filterProblem(topicFilter);
    if (problem !== undefined) reader.fail("SQL_SYNTAX", problem, index, "a topic filter");
    return { kind: "topicFilter", index, topicFilter };
  }
  if (kind !== "word" && kind !== "variable") reader.failExpecting("a topic filter in quotes");
  const path = expression(reader, NEGATION_POWER);
  return { kind: "path", index, path, alias: reader.accept("AS") ? reader.expectWord("an alias") : undefined };
}

/**
 * Parses an expression by Pratt's method: operators that bind tighter than `power` belong to it.
 */
function expression(reader: TokenReader, power = 0): Expression {
  let left = reader.nested(operand);
  for (;;) {
    const operator = binaryOperator(reader.current);
    if (operator === undefined || BINDING_POWER[operator] <= power) return left;
    reader.take();
    const right = expression(reader, BINDING_POWER[operator]);
    left = { kind: "binary", index: left.index, operator, left, right };
  }
}

function binaryOperator({ kind, text, keyword }: Token): BinaryOperator | undefined {
  const operator = keyword ?? (kind === "symbol" ? text : "");
  return Object.hasOwn(BINDING_POWER, operator) ? (operator as BinaryOperator) : undefined;
}

/** An operand with its prefix operators and the members behind it. */
function operand(reader: TokenReader): Expression {
  const { index } = reader.current;
  if (reader.accept("NOT")) return { kind: "unary", index, operator: "NOT", operand: expression(reader, NOT_POWER) };
  if (reader.accept("-")) return { kind: "unary", index, operator: "-", operand: expression(reader, NEGATION_POWER) };
  let object = primary(reader);
  while (reader.accept(".")) object = { kind: "member", index, object, name: reader.expectWord("a field name") };
  if (reader.is("[")) {
    reader.fail(
      "SQL_SYNTAX",
      "an array element is read by get(array, index)",
      reader.current.index,
      "get(array, index)",
    );
  }
  return object;
}

function primary(reader: TokenReader): Expression {
  const { kind, text, keyword, index } = reader.current;
  if (kind === "string") return { kind: "literal", index, value: reader.take().text };
  if (kind === "number") return number(reader);
  if (kind === "variable") return { kind: "variable", index, name: reader.take().text };
  if (keyword !== undefined) return keywordOperand(reader);
  if (kind === "word") {
    reader.take();
    return reader.is("(") ? call(reader, text, index) : { kind: "name", index, name: text };
  }
  if (reader.accept("(")) return parenthesized(reader, index);
  if (reader.accept("[")) return { kind: "array", index, items: closedList(reader, expression, "]") };
  if (reader.accept("{")) return { kind: "object", index, members: closedList(reader, objectMember, "}") };
  return reader.failExpecting("an expression");
}

function number(reader: TokenReader): Expression {
  const { text, index } = reader.take();
  const value = parseNumber(text);
  if (value === undefined) reader.fail("SQL_SYNTAX", `${text} is above 9.99…E999`, index, "a number below 1E1000");
  return { kind: "literal", index, value };
}

function keywordOperand(reader: TokenReader): Expression {
  const { index } = reader.current;
  if (reader.accept("TRUE")) return { kind: "literal", index, value: true };
  if (reader.accept("FALSE")) return { kind: "literal", index, value: false };
  if (reader.accept("NULL")) return { kind: "literal", index, value: null };
  if (reader.accept("CASE")) return caseExpression(reader, index);
  if (reader.accept("EXISTS")) return exists(reader, index);
  return reader.failExpecting("an expression");
}

function caseExpression(reader: TokenReader, index: number): Expression {
  const subject = expression(reader);
  const branches: CaseBranch[] = [];
  do {
    reader.expect("WHEN");
    const when = expression(reader);
    reader.expect("THEN");
    branches.push({ when, result: expression(reader) });
  } while (reader.is("WHEN"));
  const otherwise = reader.accept("ELSE") ? expression(reader) : undefined;
  reader.expect("END");
  return { kind: "case", index, subject, branches, otherwise };
}

function exists(reader: TokenReader, index: number): Expression {
  reader.expect("(");
  const nested = subselect(reader);
  reader.expect(")");
  return { kind: "exists", index, select: nested };
}

function parenthesized(reader: TokenReader, index: number): Expression {
  const inner: Expression = reader.is("SELECT")
    ? { kind: "subselect", index, select: subselect(reader) }
    : expression(reader);
  reader.expect(")");
  return inner;
}

function subselect(reader: TokenReader): Subselect {
  const parsed = reader.nested(select);
  const { source } = parsed;
  if (source?.kind === "path") return { ...parsed, source };
  const problem = "a nested SELECT reads from a field of the payload";
  return reader.fail("SQL_SYNTAX", problem, source?.index ?? reader.current.index, "FROM and a field");
}

function call(reader: TokenReader, name: string, index: number): Expression {
  reader.expect("(");
  if (name.toLowerCase() === "cast") return cast(reader, index);
  return { kind: "call", index, name, arguments: closedList(reader, argument, ")") };
}

function cast(reader: TokenReader, index: number): Expression {
  const castOperand = argument(reader);
  reader.expect("AS");
  const type = reader.expectWord("a type such as String");
  reader.expect(")");
  return { kind: "cast", index, operand: castOperand, type };
}

function argument(reader: TokenReader): Expression {
  const { index } = reader.current;
  return reader.accept("*") ? { kind: "star", index } : expression(reader);
}

function objectMember(reader: TokenReader): ObjectMember {
  if (reader.current.kind !== "string") reader.failExpecting("a key in quotes");
  const key = reader.take().text;
  reader.expect(":");
  return { key, value: expression(reader) };
}

function list<T>(reader: TokenReader, parseItem: (reader: TokenReader) => T): T[] {
  const items = [parseItem(reader)];
  while (reader.accept(",")) items.push(parseItem(reader));
  return items;
}

function closedList<T>(reader: TokenReader, parseItem: (reader: TokenReader) => T, close: string): T[] {
  if (reader.accept(close)) return [];
  const items = list(reader, parseItem);
  if (!reader.is(close)) reader.failExpecting(`, or ${close}`);
  reader.take();
  return items;
}
