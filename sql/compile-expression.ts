import { negate } from "./arithmetic.ts";
import type { Expression } from "./ast.ts";
import { findCastType } from "./cast.ts";
import type { Compilation } from "./compilation.ts";
import { compileCall } from "./compile-call.ts";
import { compileExists, compileSubselect, plainField } from "./compile-select.ts";
import { type Evaluator, originOf } from "./context.ts";
import { BINARY_OPERATORS, isEqual, not } from "./operators.ts";
import { lengthWithin } from "./size.ts";
import {
  isOwnKey,
  type JsonObject,
  type JsonValue,
  MAX_TEXT_LENGTH,
  member,
  ownMember,
  setMember,
  toNumber,
  Undefined,
  type Value,
} from "./value.ts";

type Node<Kind extends Expression["kind"]> = Extract<Expression, { readonly kind: Kind }>;

/** Turns an expression into a closure. */
export function compileExpression(node: Expression, compilation: Compilation): Evaluator {
  return compilation.nested(node.index, () => compileNode(node, compilation));
}

function compileNode(node: Expression, compilation: Compilation): Evaluator {
  switch (node.kind) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "name":
      return compileName(node, compilation);
    case "member":
      return compileMember(node, compilation);
    case "star":
      return originOf(compilation.isNested);
    case "array":
      return compileArray(node, compilation);
    case "object":
      return compileObject(node, compilation);
    case "unary":
      return compileUnary(node, compilation);
    case "binary":
      return compileBinary(node, compilation);
    case "case":
      return compileCase(node, compilation);
    case "cast":
      return compileCast(node, compilation);
    case "call":
      return compileCall(node, compilation, compileExpression);
    case "variable":
      return compileVariable(node, compilation);
    case "exists":
      return compileExists(node.select, compilation, compileExpression);
    case "subselect":
      return compileSubselect(node.select, compilation, compileExpression);
    default:
      return node satisfies never;
  }
}

/** A field of the payload; within a nested SELECT of the element, or the element itself by its alias. */
function compileName({ name, index }: Node<"name">, compilation: Compilation): Evaluator {
  const role = compilation.roleOf(name);
  const origin = originOf(compilation.isNested);
  if (role === "element") return origin;
  if (role === "field") {
    return isOwnKey(name) ? (context) => ownMember(origin(context), name) : (context) => member(origin(context), name);
  }
  return compilation.fail("SQL_UNSUPPORTED", `${name} of an outer SELECT is not supported in a nested one`, index);
}

function compileVariable({ name, index }: Node<"variable">, compilation: Compilation): Evaluator {
  const slot = compilation.slotOf(name);
  if (slot === undefined) {
    compilation.fail("SQL_SYNTAX", `@${name} is not assigned by SET before`, index, "a variable of SET");
  }
  if (!compilation.isNested) return ({ variables }) => variables[slot] ?? null;
  // What a nested SELECT makes of it, it makes for every element: a message with both a long text and a long array would
  // take the product of the two.
  return ({ variables, steps }) => {
    const value = variables[slot] ?? null;
    const length = lengthWithin(MAX_TEXT_LENGTH, value) ?? MAX_TEXT_LENGTH;
    return steps.spend(1 + STEPS_PER_CHARACTER * length) ? value : Undefined;
  };
}

/** `replace`, the most that a function does with a character, takes 12 ns to 40 ns for one. */
const STEPS_PER_CHARACTER = 2;

function compileMember(node: Node<"member">, compilation: Compilation): Evaluator {
  const object = compileExpression(node.object, compilation);
  const { name } = node;
  return isOwnKey(name) ? (context) => ownMember(object(context), name) : (context) => member(object(context), name);
}

/** Elements that are Undefined are left out, as members are: JSON has no other way to write them. */
function compileArray({ items, index }: Node<"array">, compilation: Compilation): Evaluator {
  compilation.needs2016("an array literal", index);
  const elements = items.map((item) => compileExpression(item, compilation));
  return (context) => elements.map((element) => element(context)).filter((value) => value !== Undefined);
}

function compileObject({ members, index }: Node<"object">, compilation: Compilation): Evaluator {
  compilation.needs2016("an object literal", index);
  const entries = members.map(({ key, value }) => [key, compileExpression(value, compilation)] as const);
  return (context) => {
    const object: Record<string, JsonValue> = {};
    for (const [key, evaluate] of entries) {
      const value = evaluate(context);
      if (value !== Undefined) setMember(object, key, value);
    }
    return object;
  };
}

function compileUnary(node: Node<"unary">, compilation: Compilation): Evaluator {
  const operand = compileExpression(node.operand, compilation);
  if (node.operator === "NOT") return (context) => not(operand(context));
  return (context) => {
    const number = toNumber(operand(context));
    return number === Undefined ? Undefined : negate(number);
  };
}

function compileBinary(node: Node<"binary">, compilation: Compilation): Evaluator {
  const left = compileExpression(node.left, compilation);
  const right = compileExpression(node.right, compilation);
  const apply = BINARY_OPERATORS[node.operator];
  if (node.right.kind === "literal") {
    const { value } = node.right;
    if (node.operator === "=" && typeof value !== "object") return compileEquality(node.left, value, compilation);
    return (context) => apply(left(context), value);
  }
  return (context) => apply(left(context), right(context));
}

/** A number has one representation, so that what is not a Decimal equals a literal only by being the same. */
function compileEquality(left: Expression, value: Value, compilation: Compilation): Evaluator {
  const evaluate = compileExpression(left, compilation);
  if (typeof value === "string") {
    const name = compilation.isNested ? plainField(left, compilation) : undefined;
    return name === undefined ? (context) => isText(evaluate(context), value) : compileElementEquality(name, value);
  }
  return (context) => {
    const found = evaluate(context);
    return found === Undefined ? Undefined : found === value;
  };
}

/** It is asked of every element: `ownMember` written here, where V8 meets no names but those of these comparisons. */
function compileElementEquality(name: string, text: string): Evaluator {
  return ({ element }) => {
    if (typeof element !== "object" || element === null) return Undefined;
    const found = (element as JsonObject)[name];
    return found === undefined ? Undefined : isText(found, text);
  };
}

/** The lengths first: texts that differ mostly differ in length. */
function isText(found: Value, text: string): Value {
  if (typeof found === "string") return found.length === text.length && found === text;
  return found === Undefined ? Undefined : false;
}

/** Undefined when the subject is, ELSE or not. */
function compileCase(node: Node<"case">, compilation: Compilation): Evaluator {
  const subject = compileExpression(node.subject, compilation);
  const branches = node.branches.map(({ when, result }) => ({
    when: compileExpression(when, compilation),
    result: compileExpression(result, compilation),
  }));
  const otherwise = node.otherwise && compileExpression(node.otherwise, compilation);
  return (context) => {
    const value = subject(context);
    if (value === Undefined) return Undefined;
    const branch = branches.find(({ when }) => isEqual(when(context), value));
    return (branch?.result ?? otherwise)?.(context) ?? Undefined;
  };
}

function compileCast({ operand, type, index }: Node<"cast">, compilation: Compilation): Evaluator {
  const found = findCastType(type);
  if (found === undefined) compilation.fail("SQL_SYNTAX", `cast knows no type ${type}`, index, "a type such as String");
  if (found.since !== undefined) compilation.needs2016(`cast to ${type}`, index);
  const evaluate = compileExpression(operand, compilation);
  return (context) => found.cast(evaluate(context));
}
