import type { Context } from "../context.ts";
import { Machine } from "../regexp/machine.ts";
import { literalPattern, payloadPattern, unsupportedPart } from "../regexp/pattern.ts";
import type { Program } from "../regexp/program.ts";
import { fillIn, parseReplacement } from "../regexp/replacement.ts";
import type { StepBudget } from "../step-budget.ts";
import { MAX_TEXT_LENGTH, toText, Undefined, type Value } from "../value.ts";
import type { FunctionTable, SqlFunction } from "./function.ts";

type Use = (program: Program, text: string, context: Context, replacement: string) => Value;

/** Functions of regular expressions, in the syntax of RE2. A pattern that is none makes them Undefined. */
export const regexpFunctions: FunctionTable = {
  regexp_matches: ofPattern(2, matches),
  regexp_replace: ofPattern(3, replace),
  regexp_substr: ofPattern(2, firstMatch),
};

function ofPattern(count: 2 | 3, use: Use): SqlFunction {
  const apply =
    (find: (pattern: string, steps: StepBudget) => Program | undefined): SqlFunction["apply"] =>
    (context, subject = Undefined, pattern = Undefined, replacement = "") => {
      const text = toText(subject);
      const source = toText(pattern);
      const inserted = toText(replacement);
      if (text === Undefined || source === Undefined || inserted === Undefined) return Undefined;
      const program = find(source, context.steps);
      return program === undefined ? Undefined : use(program, text, context, inserted);
    };
  return {
    arity: [count, count],
    apply: apply(payloadPattern),
    specialize: ([, pattern], compilation) => {
      if (pattern?.kind !== "literal") return undefined;
      const source = toText(pattern.value);
      if (source === Undefined) return undefined;
      const unsupported = unsupportedPart(source);
      if (unsupported !== undefined) {
        compilation.fail("SQL_UNSUPPORTED", `a pattern has no ${unsupported} here`, pattern.index, "RE2 syntax");
      }
      const program = literalPattern(source);
      return apply(() => program);
    },
  };
}

function matches(program: Program, text: string, { steps }: Context): Value {
  const found = new Machine(program, text, steps, "existence").find(0);
  return found === "exhausted" ? Undefined : found !== undefined;
}

/** Undefined when nothing matches. */
function firstMatch(program: Program, text: string, { steps }: Context): Value {
  const found = new Machine(program, text, steps, "match").find(0);
  return found === "exhausted" || found === undefined ? Undefined : text.slice(found[0], found[1]);
}

function replace(program: Program, text: string, { steps }: Context, inserted: string): Value {
  const replacement = parseReplacement(inserted, program.groupCount);
  if (replacement === undefined) return Undefined;
  const hasGroups = replacement.some((part) => typeof part === "number");
  const machine = new Machine(program, text, steps, hasGroups ? "groups" : "match");
  let output = "";
  let copied = 0;
  for (let index = 0; index <= text.length; ) {
    const found = machine.find(index);
    if (found === "exhausted" || output.length > MAX_TEXT_LENGTH) return Undefined;
    if (found === undefined) break;
    const [begin = 0, end = 0] = found;
    output += text.slice(copied, begin) + fillIn(replacement, text, found);
    copied = end;
    index = end > begin ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  output += text.slice(copied);
  return output.length > MAX_TEXT_LENGTH ? Undefined : output;
}
