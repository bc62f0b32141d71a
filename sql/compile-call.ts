import type { Call } from "./ast.ts";
import type { Compilation, CompileExpression } from "./compilation.ts";
import type { Evaluator } from "./context.ts";
import type { SqlFunction } from "./functions/function.ts";
import { findFunction, SERVICE_FUNCTIONS, similarFunction } from "./functions/table.ts";
import { toBase64 } from "./json.ts";

/** Turns a function call into a closure; `compileArgument` is the expression compiler that called. */
export function compileCall(node: Call, compilation: Compilation, compileArgument: CompileExpression): Evaluator {
  const called = lookUp(node, compilation);
  if (called.since !== undefined) compilation.needs2016(`${node.name}()`, node.index);
  checkArity(node, called, compilation);
  checkLiteral(node, called, compilation);
  if (node.name.toLowerCase() === "encode" && node.arguments[0]?.kind === "star") {
    if (compilation.isNested) {
      compilation.fail("SQL_UNSUPPORTED", "encode(*) is not supported within a nested SELECT", node.index);
    }
    return ({ message }) => toBase64(message.payload);
  }
  return applyTo(
    called.specialize?.(node.arguments, compilation) ?? called.apply,
    node.arguments.map((argument) => compileArgument(argument, compilation)),
  );
}

function lookUp(node: Call, compilation: Compilation): SqlFunction {
  const name = node.name.toLowerCase();
  const service = isProtobuf(node) ? "Amazon S3" : SERVICE_FUNCTIONS.get(name);
  if (service !== undefined) {
    compilation.fail("SQL_FUNCTION_NOT_SUPPORTED", `${node.name}() needs ${service}, which is not here`, node.index);
  }
  const found = findFunction(name);
  if (found !== undefined) return found;
  const similar = similarFunction(name);
  const hint = similar === undefined ? "a function of AWS IoT SQL" : `${similar}()`;
  return compilation.fail("SQL_UNKNOWN_FUNCTION", `there is no function ${node.name}()`, node.index, hint);
}

/** `decode(value, 'proto', bucket, key, …)` reads the message's description from S3. */
function isProtobuf({ name, arguments: [, scheme] }: Call): boolean {
  return name.toLowerCase() === "decode" && scheme?.kind === "literal" && scheme.value === "proto";
}

/** AWS IoT accepts such a call and evaluates it to Undefined; nobody means that. */
function checkArity(node: Call, { arity: [minimum, maximum] }: SqlFunction, compilation: Compilation): void {
  const count = node.arguments.length;
  if (count >= minimum && count <= maximum) return;
  const number = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
  const expected = `${number} argument${number === "1" ? "" : "s"}`;
  const problem = `${node.name}() takes ${expected}, not ${count}`;
  compilation.fail("SQL_ARITY", problem, node.index, expected);
}

function checkLiteral(node: Call, { literal }: SqlFunction, compilation: Compilation): void {
  if (literal === undefined) return;
  const argument = node.arguments[literal.position];
  if (argument?.kind === "literal" && literal.values.some((value) => value === argument.value)) return;
  const expected = literal.values.map((value) => `'${value}'`).join(", ");
  const problem = `argument ${literal.position + 1} of ${node.name}() is one of ${expected}`;
  compilation.fail("SQL_SYNTAX", problem, argument?.index ?? node.index, expected);
}

/** The usual counts spelled out: a rest parameter costs an array for every message. */
function applyTo(
  apply: SqlFunction["apply"],
  [first, second, third, fourth, ...rest]: readonly Evaluator[],
): Evaluator {
  if (first === undefined) return (context) => apply(context);
  if (second === undefined) return (context) => apply(context, first(context));
  if (third === undefined) return (context) => apply(context, first(context), second(context));
  if (fourth === undefined) return (context) => apply(context, first(context), second(context), third(context));
  const all = [first, second, third, fourth, ...rest];
  return (context) => apply(context, ...all.map((argument) => argument(context)));
}
