import { RE2JS } from "re2js";
import { LruCache } from "../lru-cache.ts";
import type { StepBudget } from "../step-budget.ts";
import { costOf } from "./pattern-cost.ts";
import { type Program, programOf } from "./program.ts";

/** What may be compiled. The worst pattern within the limits takes 15 ms: `(?i)[\pL\pL…]`, and `(?:\pL{100}){10}` 2 ms. */
interface Limits {
  readonly maxLength: number;
  readonly maxInstructions: number;
}

const FROM_PAYLOAD: Limits = { maxLength: 256, maxInstructions: 1_000 };
/** The author's own, compiled once when the rule is loaded. */
const FROM_STATEMENT: Limits = { maxLength: 4_096, maxInstructions: 10_000 };

const MAX_CACHED = 100;
const cache = new LruCache<Program | undefined>(MAX_CACHED);

/** Compiling takes up to 35 µs per character, the first time in a process 110 µs: `[\\pL\\pL…]`. */
const STEPS_PER_CHARACTER = 2_500;

/** Compiles a pattern that a message brought, or finds it compiled; undefined when it is no pattern, or too costly. */
export function payloadPattern(pattern: string, steps: StepBudget): Program | undefined {
  if (pattern.length > FROM_PAYLOAD.maxLength) return undefined;
  if (!steps.spendOnce(`pattern ${pattern}`, STEPS_PER_CHARACTER * pattern.length)) return undefined;
  return cache.get(pattern, (text) => compile(text, FROM_PAYLOAD));
}

/** Compiles the patterns of messages anew; for those who measure. */
export function forgetPatterns(): void {
  cache.clear();
}

/** Compiles a pattern that is a literal in a statement; undefined when it is none, as AWS has it. */
export function literalPattern(pattern: string): Program | undefined {
  return compile(pattern, FROM_STATEMENT);
}

function compile(pattern: string, { maxLength, maxInstructions }: Limits): Program | undefined {
  if (pattern.length > maxLength || costOf(pattern) > maxInstructions) return undefined;
  try {
    return programOf(RE2JS.compile(pattern));
  } catch {
    return undefined;
  }
}

/** What Java's patterns have and linear time has not, or RE2 does not read; each is found outside of `[…]` and `\Q…\E`. */
const JAVA_ONLY: readonly (readonly [what: string, where: RegExp])[] = [
  ["lookahead and lookbehind", /^\(\?<?[=!]/],
  ["an atomic group", /^\(\?>/],
  ["a back reference", /^\\(?:[1-9]|k<)/],
  ["a possessive quantifier", /^(?:[*+?]|\{\d+(?:,\d*)?\})\+/],
  ["an intersection of classes", /^\[(?:[^\]\\]|\\[\s\S])*&&/],
  ["\\h, \\H, \\R, \\X, \\Z, \\G, \\e, \\N, \\c", /^\\[hHRXZGeNc]/],
];

/**
 * What of a literal pattern works on AWS and not here, so that the rule is refused instead of being Undefined for every
 * message; undefined for a pattern that is fine, or that nobody compiles.
 */
export function unsupportedPart(pattern: string): string | undefined {
  if (pattern.length > FROM_STATEMENT.maxLength) return `more than ${FROM_STATEMENT.maxLength} characters`;
  for (let index = 0; index < pattern.length; index += lengthOfAtom(pattern, index)) {
    const rest = pattern.slice(index);
    const found = JAVA_ONLY.find(([, where]) => where.test(rest));
    if (found !== undefined) return found[0];
  }
  const isTooLarge = costOf(pattern) > FROM_STATEMENT.maxInstructions;
  return isTooLarge ? `repetitions of more than ${FROM_STATEMENT.maxInstructions} instructions` : undefined;
}

/** How much stands for itself: a quoted part, an escape, a class, or one character. */
function lengthOfAtom(pattern: string, index: number): number {
  const sticky = /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|[\s\S]/y;
  sticky.lastIndex = index;
  return sticky.exec(pattern)?.[0].length ?? 1;
}
