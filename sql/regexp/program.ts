import type { RE2JS } from "re2js";

/** One instruction, as RE2 compiles them (https://swtch.com/~rsc/regexp/regexp2.html). */
export interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  matchRune(codePoint: number): boolean;
}

/** What RE2JS calls its instructions; they are part of neither its types nor its promises, so its version is pinned. */
export const Op = {
  alternative: 1,
  alternativeMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  rune: 8,
  rune1: 9,
  any: 10,
  anyButNewline: 11,
} as const;

/** A compiled pattern as flat arrays, for the machine. */
export interface Program {
  readonly start: number;
  readonly ops: Uint8Array;
  readonly out: Int32Array;
  readonly arg: Int32Array;
  readonly instructions: readonly Instruction[];
  readonly groupCount: number;
  /** What every match begins with; empty when there is nothing. */
  readonly prefix: string;
  /** Whether a match can only begin where the text does. */
  readonly isAnchored: boolean;
}

/** The condition "at the beginning of the text" among those of an instruction for nothing (empty width). */
export const BEGIN_TEXT = 4;

export function programOf(pattern: RE2JS): Program {
  const { prog, prefix, cond } = pattern.re2();
  const instructions: readonly Instruction[] = prog.inst;
  return {
    start: prog.start,
    ops: Uint8Array.from(instructions, ({ op }) => op),
    out: Int32Array.from(instructions, ({ out }) => out),
    arg: Int32Array.from(instructions, ({ arg }) => arg),
    instructions,
    groupCount: pattern.groupCount(),
    prefix: prefix ?? "",
    isAnchored: (cond & BEGIN_TEXT) !== 0,
  };
}
