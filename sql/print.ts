import type { BinaryOperator, Expression, Select, SelectItem, Source, StatementNode } from "./ast.ts";
import { BINDING_POWER, NEGATION_POWER, NOT_POWER } from "./binding-power.ts";

/**
 * A statement as text, in one line. Parsing it again gives the same tree but for the places of its tokens; parentheses
 * and spelling (`.5E1`, `select`) are not those of the source, which the tree has not kept.
 */
export function print({ assignments, select }: StatementNode): string {
  const set = assignments.map(({ name, value }) => `@${name} = ${expression(value)}`);
  return (set.length === 0 ? "" : `SET ${set.join(", ")} `) + printSelect(select);
}

export function printExpression(node: Expression): string {
  return expression(node);
}

function printSelect({ isValue, items, source, where }: Select): string {
  const list = items.map((item, place) => printItem(item, place === 0 && !isValue)).join(", ");
  const from = source === undefined ? "" : ` FROM ${printSource(source)}`;
  return `SELECT ${isValue ? "VALUE " : ""}${list}${from}${where === undefined ? "" : ` WHERE ${expression(where)}`}`;
}

/** A field named `value` in the first place would be taken for SELECT VALUE by what comes behind it. */
function printItem(item: SelectItem, mayBeValue: boolean): string {
  if (item.kind === "all") return "*";
  const text = expression(item.expression);
  const guarded = mayBeValue && /^value(?![\p{L}\p{N}_])/iu.test(text) ? `(${text})` : text;
  return item.alias === undefined ? guarded : `${guarded} AS ${item.alias.join(".")}`;
}

function printSource(source: Source): string {
  if (source.kind === "topicFilter") return quote(source.topicFilter);
  return expression(source.path) + (source.alias === undefined ? "" : ` AS ${source.alias}`);
}

/** No string of a statement holds both kinds of quotes: there is no escape. */
function quote(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}

/** @param power of the operator around it; what binds less is put in parentheses */
function expression(node: Expression, power = 0): string {
  const text = bare(node);
  return powerOf(node) > power ? text : `(${text})`;
}

/** What is no operator binds tightest. */
function powerOf(node: Expression): number {
  if (node.kind === "binary") return BINDING_POWER[node.operator];
  if (node.kind !== "unary") return Number.POSITIVE_INFINITY;
  return node.operator === "NOT" ? NOT_POWER : NEGATION_POWER;
}

function bare(node: Expression): string {
  switch (node.kind) {
    case "literal":
      return literal(node.value);
    case "name":
      return node.name;
    case "member":
      return `${object(node.object)}.${node.name}`;
    case "variable":
      return `@${node.name}`;
    case "star":
      return "*";
    case "array":
      return `[${list(node.items)}]`;
    case "object":
      return `{${node.members.map(({ key, value }) => `${quote(key)}: ${expression(value)}`).join(", ")}}`;
    case "unary":
      return unary(node.operator, node.operand);
    case "binary":
      return binary(node.operator, node.left, node.right);
    case "case":
      return caseText(node);
    case "cast":
      return `cast(${expression(node.operand)} AS ${node.type})`;
    case "call":
      return `${node.name}(${list(node.arguments)})`;
    case "exists":
      return `EXISTS (${printSelect(node.select)})`;
    case "subselect":
      return `(${printSelect(node.select)})`;
    default:
      return node satisfies never;
  }
}

function literal(value: Extract<Expression, { kind: "literal" }>["value"]): string {
  if (typeof value === "string") return quote(value);
  return value === null ? "NULL" : String(value).toUpperCase();
}

/** A number takes a point for its own. */
function object(node: Expression): string {
  const isNumber = node.kind === "literal" && typeof node.value !== "string";
  return isNumber ? `(${expression(node)})` : expression(node, NEGATION_POWER);
}

function list(nodes: readonly Expression[]): string {
  return nodes.map((node) => expression(node)).join(", ");
}

function unary(operator: "-" | "NOT", operand: Expression): string {
  if (operator === "-") return `-${expression(operand, NEGATION_POWER - 1)}`;
  return `NOT ${expression(operand, NOT_POWER - 1)}`;
}

/** Operators of one row group from the left. */
function binary(operator: BinaryOperator, left: Expression, right: Expression): string {
  const power = BINDING_POWER[operator];
  return `${expression(left, power - 1)} ${operator} ${expression(right, power)}`;
}

function caseText({ subject, branches, otherwise }: Extract<Expression, { kind: "case" }>): string {
  const cases = branches.map(({ when, result }) => `WHEN ${expression(when)} THEN ${expression(result)}`);
  const last = otherwise === undefined ? "" : ` ELSE ${expression(otherwise)}`;
  return `CASE ${expression(subject)} ${cases.join(" ")}${last} END`;
}
