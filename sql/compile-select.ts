import type { Expression, Select, SelectItem, Subselect } from "./ast.ts";
import type { Compilation, CompileExpression } from "./compilation.ts";
import { type Context, type Evaluator, originOf } from "./context.ts";
import { type Output, writeMember, writeObject, writePath } from "./output.ts";
import {
  isArray,
  isObject,
  isOwnKey,
  type JsonObject,
  type JsonValue,
  ownMember,
  Undefined,
  type Value,
} from "./value.ts";

type Column = Extract<SelectItem, { readonly kind: "column" }>;
type Writer = (output: Output, context: Context) => void;

/** Whether a SELECT is `SELECT *`, which gives what it reads as it is. */
export function isEverything({ items: [first, second] }: Select): boolean {
  return first?.kind === "all" && second === undefined;
}

/** Turns the list of a SELECT into a closure: an object, or the value of SELECT VALUE. */
export function compileItems(select: Select, compilation: Compilation, compile: CompileExpression): Evaluator {
  if (select.isValue) return compileValue(select, compilation, compile);
  if (isEverything(select)) return originOf(compilation.isNested);
  const names = select.items.map((item) => plainColumn(item, compilation));
  if (names.every((name) => name !== undefined)) {
    return compilation.isNested ? projectElement(names) : ({ root }) => project(root, names);
  }
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
  const ofOne = (value: Value, context: Context): Value => {
    context.element = value;
    return isObject(value) && matches(where, context) ? items(context) : Undefined;
  };
  const ofArray = (values: readonly JsonValue[], context: Context): Value => {
    const results: JsonValue[] = [];
    for (const value of values) {
      context.element = value;
      if (where !== undefined && where(context) !== true) continue;
      const result = items(context);
      if (result !== Undefined) results.push(result);
    }
    return results;
  };
  return (context) => {
    const value = source(context);
    const { element } = context;
    const result = isArray(value) ? ofArray(value, context) : ofOne(value, context);
    context.element = element;
    return result;
  };
}

/** Whether a nested SELECT selects anything. */
export function compileExists(node: Subselect, compilation: Compilation, compile: CompileExpression): Evaluator {
  const { source, where } = compileParts(node, compilation, compile);
  return (context) => {
    const value = source(context);
    const { element } = context;
    const isSelected = (each: Value) => {
      context.element = each;
      return matches(where, context);
    };
    const isAny = isArray(value) ? value.some(isSelected) : isObject(value) && isSelected(value);
    context.element = element;
    return isAny;
  };
}

function matches(where: Evaluator | undefined, context: Context): boolean {
  return where === undefined || where(context) === true;
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
  if (item.kind === "all") {
    const origin = originOf(compilation.isNested);
    return (output, context) => writeObject(output, origin(context));
  }
  const evaluate: (context: Context) => Value = compile(item.expression, compilation);
  const [key = defaultKey(item, compilation), ...deeper] = item.alias ?? [];
  if (key === undefined) return (output, context) => writeObject(output, evaluate(context));
  if (deeper.length === 0) return memberWriter(key, evaluate);
  return (output, context) => writePath(output, [key, ...deeper], evaluate(context));
}

/** The name of a column that is a field and nothing else, the usual one. */
function plainColumn(item: SelectItem, compilation: Compilation): string | undefined {
  return item.kind === "all" || item.alias !== undefined ? undefined : plainField(item.expression, compilation);
}

/** The name of a field whose key can only be the value's own. */
export function plainField(expression: Expression, compilation: Compilation): string | undefined {
  if (expression.kind !== "name" || !isOwnKey(expression.name)) return undefined;
  return compilation.roleOf(expression.name) === "field" ? expression.name : undefined;
}

/** Plain fields and nothing else. */
function project(value: Value, names: readonly string[]): Value {
  const output: Output = {};
  for (const name of names) {
    const found = ownMember(value, name);
    if (found !== Undefined) output[name] = found;
  }
  return output;
}

/**
 * `project` for the elements of a nested SELECT. The first three names are spelled out: each place in the code where V8
 * reads or writes a key remembers one name and a few shapes of objects, and takes a fifth of the time as long as it meets
 * no others. That is so where one rule has a nested SELECT; where several have, it takes as long as `project`.
 */
function projectElement([first = "", second, third, ...others]: readonly string[]): Evaluator {
  return ({ element }) => {
    const output: Output = {};
    if (typeof element !== "object" || element === null) return output;
    const object = element as JsonObject;
    const one = object[first];
    if (one !== undefined) output[first] = one;
    if (second === undefined) return output;
    const two = object[second];
    if (two !== undefined) output[second] = two;
    if (third === undefined) return output;
    const three = object[third];
    if (three !== undefined) output[third] = three;
    for (const name of others) {
      const other = object[name];
      if (other !== undefined) output[name] = other;
    }
    return output;
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
