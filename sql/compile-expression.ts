import { negate } from "./arithmetic.ts";
import type { Expression } from "./ast.ts";
import { findCastType } from "./cast.ts";
import type { Compilation } from "./compilation.ts";
import { compileCall } from "./compile-call.ts";
import { compileExists, compileSubselect } from "./compile-select.ts";
import type { Evaluator } from "./context.ts";
import { BINARY_OPERATORS, isEqual, not } from "./operators.ts";
import { type JsonValue, member, setMember, toNumber, Undefined } from "./value.ts";

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
      return ({ root }) => root;
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
  if (role === "element") return ({ root }) => root;
  if (role === "field") return ({ root }) => member(root, name);
  return compilation.fail("SQL_UNSUPPORTED", `${name} of an outer SELECT is not supported in a nested one`, index);
}

function compileVariable({ name, index }: Node<"variable">, compilation: Compilation): Evaluator {
  const slot = compilation.slotOf(name);
  if (slot === undefined && compilation.role === "template") {
    compilation.fail("SQL_UNSUPPORTED", `variables (@${name}) are not supported in templates yet`, index);
  }
  if (slot === undefined) compilation.fail("SQL_SYNTAX", `@${name} is not assigned by SET before`, index);
  return ({ variables }) => variables[slot] ?? null;
}

function compileMember(node: Node<"member">, compilation: Compilation): Evaluator {
  const object = compileExpression(node.object, compilation);
  const { name } = node;
  return (context) => member(object(context), name);
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
  return (context) => apply(left(context), right(context));
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
