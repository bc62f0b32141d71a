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
  return namingRule(options.rule, () => compile(template, options));
}

function compile(template: string, { version, variables: names = [] }: TemplateOptions): Template {
  const compilation = new Compilation(template, version);
  for (const name of names) compilation.declare(name);
  const parts: (string | Evaluator)[] = [];
  let position = 0;
  for (;;) {
    const open = template.indexOf("${", position);
    parts.push(template.slice(position, open < 0 ? undefined : open));
    if (open < 0) break;
    const { expression, end } = parseTemplateExpression(template, open + 2);
    parts.push(compileExpression(expression, compilation));
    position = end;
  }
  return (message, variables = []) => {
    const context = new Context(message, version, variables);
    return parts.map((part) => (typeof part === "string" ? part : textOf(part, context))).join("");
  };
}

function textOf(evaluate: Evaluator, context: Context): string {
  const text = toText(evaluate(context));
  return text === Undefined ? "" : text;
}
