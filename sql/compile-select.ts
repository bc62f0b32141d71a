import type { Select, SelectItem, Subselect } from "./ast.ts";
import type { Compilation, CompileExpression } from "./compilation.ts";
import type { Context, Evaluator } from "./context.ts";
import { type Output, writeMember, writeObject, writePath } from "./output.ts";
import { isArray, isObject, isOwnKey, type JsonValue, ownMember, Undefined, type Value } from "./value.ts";

type Column = Extract<SelectItem, { readonly kind: "column" }>;
type Writer = (output: Output, context: Context) => void;

/** Whether a SELECT is `SELECT *`, which gives what it reads as it is. */
export function isEverything({ items: [first, second] }: Select): boolean {
  return first?.kind === "all" && second === undefined;
}

/** Turns the list of a SELECT into a closure: an object, or the value of SELECT VALUE. */
export function compileItems(select: Select, compilation: Compilation, compile: CompileExpression): Evaluator {
  if (select.isValue) return compileValue(select, compilation, compile);
  if (isEverything(select)) return ({ root }) => root;
  const writers = select.items.map((item) => compileItem(item, compilation, compile));
  return (context) => {
    const output: Output = {};
    for (const write of writers) write(output, context);
    return output;
  };
}

/**
 * Turns a nested SELECT into a closure. From an array it makes an array, from an object one result, and anything else
 * is Undefined. Names within are fields of the element, never of the message around it.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-nested-queries.html
 */
export function compileSubselect(node: Subselect, compilation: Compilation, compile: CompileExpression): Evaluator {
  const { source, where, items } = compileParts(node, compilation, compile);
  return (context) => {
    const value = source(context);
    const element = context.forElements();
    if (!isArray(value)) {
      element.moveTo(value);
      return isObject(value) && matches(where, element) ? items(element) : Undefined;
    }
    const results: JsonValue[] = [];
    for (const each of value) {
      element.moveTo(each);
      if (where !== undefined && where(element) !== true) continue;
      const result = items(element);
      if (result !== Undefined) results.push(result);
    }
    return results;
  };
}

/** Whether a nested SELECT selects anything. */
export function compileExists(node: Subselect, compilation: Compilation, compile: CompileExpression): Evaluator {
  const { source, where } = compileParts(node, compilation, compile);
  return (context) => {
    const value = source(context);
    const element = context.forElements();
    const isSelected = (each: Value) => {
      element.moveTo(each);
      return matches(where, element);
    };
    return isArray(value) ? value.some(isSelected) : isObject(value) && isSelected(value);
  };
}

function matches(where: Evaluator | undefined, element: Context): boolean {
  return where === undefined || where(element) === true;
}

interface Parts {
  readonly source: Evaluator;
  readonly where: Evaluator | undefined;
  readonly items: Evaluator;
}

function compileParts(node: Subselect, compilation: Compilation, compile: CompileExpression): Parts {
  compilation.needs2016("a nested SELECT", node.index);
  const source = compile(node.source.path, compilation);
  return compilation.inSubselect(node.source.alias, () => {
    const where = node.where && compile(node.where, compilation);
    return { source, where, items: compileItems(node, compilation, compile) };
  });
}

function compileValue({ items, index }: Select, compilation: Compilation, compile: CompileExpression): Evaluator {
  const [item, second] = items;
  if (second !== undefined) compilation.fail("SQL_SYNTAX", "SELECT VALUE takes one item", second.index, "one item");
  if (item?.kind !== "column") {
    return compilation.fail("SQL_UNSUPPORTED", "SELECT VALUE * is not supported: write SELECT *", index);
  }
  if (item.alias !== undefined) {
    compilation.fail("SQL_SYNTAX", "SELECT VALUE has no key that AS could name", item.index, "no AS");
  }
  return compile(item.expression, compilation);
}

function compileItem(item: SelectItem, compilation: Compilation, compile: CompileExpression): Writer {
  if (item.kind === "all") return (output, { root }) => writeObject(output, root);
  const field = fieldWriter(item, compilation);
  if (field !== undefined) return field;
  const evaluate: (context: Context) => Value = compile(item.expression, compilation);
  const [key = defaultKey(item, compilation), ...deeper] = item.alias ?? [];
  if (key === undefined) return (output, context) => writeObject(output, evaluate(context));
  if (deeper.length === 0) return memberWriter(key, evaluate);
  return (output, context) => writePath(output, [key, ...deeper], evaluate(context));
}

/** A plain field, the usual column, with as few calls as possible: nested SELECTs write it for every element. */
function fieldWriter({ expression, alias }: Column, compilation: Compilation): Writer | undefined {
  if (alias !== undefined || expression.kind !== "name" || !isOwnKey(expression.name)) return undefined;
  const { name } = expression;
  if (compilation.roleOf(name) !== "field") return undefined;
  return (output, { root }) => {
    const value = ownMember(root, name);
    if (value !== Undefined) output[name] = value;
  };
}

/** The usual keys are assigned, without asking for each message whether they are usual. */
function memberWriter(key: string, evaluate: Evaluator): Writer {
  if (key === "__proto__") return (output, context) => writeMember(output, key, evaluate(context));
  return (output, context) => {
    const value = evaluate(context);
    if (value !== Undefined) output[key] = value;
  };
}

/** A field keeps its name; an object literal, having none, becomes the output's members: undefined. */
function defaultKey({ expression, index }: Column, compilation: Compilation): string | undefined {
  if (expression.kind === "name" || expression.kind === "member") return expression.name;
  if (expression.kind === "object") return undefined;
  return compilation.fail("SQL_UNSUPPORTED", "the reference does not name this column: add AS", index, "AS");
}
