import type { Assignment } from "./ast.ts";
import type { Compilation } from "./compilation.ts";
import { compileExpression } from "./compile-expression.ts";
import { Context, type SqlVersion } from "./context.ts";
import type { Message } from "./message.ts";
import { lengthWithin } from "./size.ts";
import { Undefined, type Value } from "./value.ts";

// https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-set.html
const MAX_VARIABLES = 10;
const MAX_NAME_LENGTH = 64;
/** 128 KiB as JSON, of all values together; one that goes beyond is Undefined. We count characters. */
const MAX_CHARACTERS = 128 * 1024;

/**
 * Turns SET into a function that makes the context of a message. Each value is computed once, so that a `newuuid()`
 * is the same wherever its variable stands.
 *
 * @throws {SqlError} `SQL_SYNTAX` for a variable that is assigned twice, and beyond the limits
 */
export function compileAssignments(
  assignments: readonly Assignment[],
  compilation: Compilation,
): (message: Message) => Context {
  const { version } = compilation;
  if (assignments.length === 0) return (message) => new Context(message, version);
  const evaluators = assignments.map((assignment, position) => {
    check(assignment, position, compilation);
    const evaluate = compileExpression(assignment.value, compilation);
    compilation.declare(assignment.name);
    return evaluate;
  });
  return (message) => createContext(message, version, evaluators);
}

function createContext(message: Message, version: SqlVersion, evaluators: readonly ((context: Context) => Value)[]) {
  const variables: Value[] = [];
  const context = new Context(message, version, variables);
  let left = MAX_CHARACTERS;
  for (const evaluate of evaluators) {
    const value = evaluate(context);
    const length = lengthWithin(left, value);
    variables.push(length === undefined ? Undefined : value);
    left -= length ?? 0;
  }
  return context;
}

function check({ name, index }: Assignment, position: number, compilation: Compilation): void {
  compilation.needs2016("SET", index);
  if (position === MAX_VARIABLES) {
    compilation.fail("SQL_SYNTAX", `SET assigns more than ${MAX_VARIABLES} variables`, index, "SELECT");
  }
  if (name.length > MAX_NAME_LENGTH) {
    const problem = `a variable's name has ${name.length} characters, more than ${MAX_NAME_LENGTH}`;
    compilation.fail("SQL_SYNTAX", problem, index, "a shorter name");
  }
  if (compilation.slotOf(name) !== undefined) {
    compilation.fail("SQL_SYNTAX", `@${name} is assigned twice`, index, "another name");
  }
}
