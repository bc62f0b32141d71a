import type { Expression } from "./ast.ts";
import { Compilation } from "./compilation.ts";
import { type CompileOptions, namingRule } from "./compile.ts";
import { compileExpression } from "./compile-expression.ts";
import { Context, type Evaluator } from "./context.ts";
import type { Message } from "./message.ts";
import { parseTemplateExpression } from "./parser.ts";
import { toText, Undefined, type Value } from "./value.ts";

/**
 * A field of an action with its `${…}` ready to be filled in.
 *
 * @param variables Those that the evaluation of the rule's statement gave.
 */
export type Template = (message: Message, variables?: readonly Value[]) => string;

/** A template of which a caller looks at the parts: at what a message's own data comes to, say. */
export interface TemplateParts {
  /** Text that stands as it is, and expressions. */
  readonly parts: readonly (string | Expression)[];
  /** The text of each part. */
  readonly fill: (message: Message, variables?: readonly Value[]) => readonly string[];
}

export interface TemplateOptions extends CompileOptions {
  /** The names that the rule's SET assigns. */
  readonly variables?: readonly string[];
}

/**
 * Compiles a substitution template. Its expressions see the message as it came, not the output of SELECT.
 *
 * An expression that is Undefined, or null, gives no text; the reference says so of Undefined alone.
 *
 * @throws {SqlError}
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html
 */
export function compileTemplate(template: string, options: TemplateOptions): Template {
  const { fill } = compileTemplateParts(template, options);
  return (message, variables) => fill(message, variables).join("");
}

/** @throws {SqlError} */
export function compileTemplateParts(template: string, options: TemplateOptions): TemplateParts {
  return namingRule(options.rule, () => compile(template, options));
}

function compile(template: string, { version, variables: names = [] }: TemplateOptions): TemplateParts {
  const compilation = new Compilation(template, version);
  for (const name of names) compilation.declare(name);
  const parts: (string | Expression)[] = [];
  let position = 0;
  for (;;) {
    const open = template.indexOf("${", position);
    parts.push(template.slice(position, open < 0 ? undefined : open));
    if (open < 0) break;
    const { expression, end } = parseTemplateExpression(template, open + 2);
    parts.push(expression);
    position = end;
  }
  const compiled = parts.map((part) => (typeof part === "string" ? part : compileExpression(part, compilation)));
  return {
    parts,
    fill: (message, variables = []) => {
      const context = new Context(message, version, variables);
      return compiled.map((part) => (typeof part === "string" ? part : textOf(part, context)));
    },
  };
}

function textOf(evaluate: Evaluator, context: Context): string {
  const text = toText(evaluate(context));
  return text === Undefined ? "" : text;
}
