import type { StepBudget } from "../step-budget.ts";
import { Op, type Program } from "./program.ts";

/** Begin and end of the match and of its groups, −1 for a group that took no part. */
export type Groups = Int32Array;

/** The instructions that threads wait at, in the order of their preference, with the groups of each. */
class Threads {
  readonly pcs: Int32Array;
  readonly groups: Int32Array;
  readonly #places: Int32Array;
  size = 0;

  constructor(capacity: number, groupSlots: number) {
    this.pcs = new Int32Array(capacity);
    this.groups = new Int32Array(capacity * groupSlots);
    this.#places = new Int32Array(capacity);
  }

  has(pc: number): boolean {
    const place = this.#places[pc] as number;
    return place < this.size && this.pcs[place] === pc;
  }

  add(pc: number): number {
    const place = this.size++;
    this.#places[pc] = place;
    this.pcs[place] = pc;
    return place;
  }
}

/**
 * Finds matches as Pike's machine does: it keeps all threads that backtracking would try, and runs each instruction at
 * most once per character. Each run is a step of the budget.
 *
 * RE2JS parses and compiles. Its own matchers count nothing, and all matches of `a*b|a` take them a quadratic time:
 * 20,000 letters took 4.5 s.
 */
export class Machine {
  readonly #program: Program;
  readonly #text: string;
  readonly #budget: StepBudget;
  /** Two indexes per group; none where nobody asks where the match is. */
  readonly #slots: number;
  readonly #groups: Int32Array;
  readonly #stack: Int32Array;
  #current: Threads;
  #next: Threads;
  #found: Groups | undefined;
  #depth = 0;
  #steps = 0;

  /** @param wants Whether a match is there, or also where, or also where its groups are. */
  constructor(program: Program, text: string, budget: StepBudget, wants: "existence" | "match" | "groups") {
    this.#program = program;
    this.#text = text;
    this.#budget = budget;
    const slots = { existence: 0, match: 2, groups: 2 * (program.groupCount + 1) };
    this.#slots = slots[wants];
    this.#groups = new Int32Array(this.#slots);
    this.#stack = new Int32Array(2 * (program.ops.length + 1));
    this.#current = new Threads(program.ops.length, this.#slots);
    this.#next = new Threads(program.ops.length, this.#slots);
    this.#steps = (program.ops.length * (this.#slots + 1)) >> 3;
  }

  /**
   * Finds the leftmost match at or behind an index, the one that backtracking would find first.
   *
   * @returns undefined when there is none, "exhausted" when the budget is
   */
  find(from: number): Groups | undefined | "exhausted" {
    this.#found = undefined;
    this.#current.size = 0;
    for (
      let index = this.#advance(from);
      index >= 0 && this.#steps <= this.#budget.left;
      index = this.#advance(index)
    ) {
      if (!this.#isOver(index)) this.#begin(index);
      const codePoint = this.#text.codePointAt(index) ?? -1;
      const width = codePoint > 0xffff ? 2 : 1;
      this.#step(codePoint, index, index + width);
      if (codePoint < 0 || (this.#slots === 0 && this.#found !== undefined)) break;
      index += width;
    }
    const isPaid = this.#budget.spend(this.#steps);
    this.#steps = 0;
    return isPaid ? this.#found : "exhausted";
  }

  /** Where to go on: where no thread waits, where the next match may begin; −1 where none can. */
  #advance(index: number): number {
    this.#steps += 1 + (this.#slots >> 3);
    if (this.#current.size > 0) return index;
    if (this.#isOver(index)) return -1;
    const { prefix } = this.#program;
    return prefix === "" ? index : this.#text.indexOf(prefix, index);
  }

  /** Whether no match may begin here any more. */
  #isOver(index: number): boolean {
    return this.#found !== undefined || (this.#program.isAnchored && index > 0);
  }

  /** Adds the thread of a match that begins here; it comes behind those that began before. */
  #begin(index: number): void {
    this.#groups.fill(-1);
    this.#groups[0] = index;
    this.#add(this.#current, this.#program.start, index, this.#groups, 0);
  }

  /** Lets every thread look at the character; a match ends those that come behind it in preference. */
  #step(codePoint: number, index: number, nextIndex: number): void {
    const { ops, out, instructions } = this.#program;
    const current = this.#current;
    const next = this.#next;
    next.size = 0;
    this.#current = next;
    this.#next = current;
    for (let place = 0; place < current.size; place += 1) {
      const pc = current.pcs[place] as number;
      const op = ops[pc] as number;
      const offset = place * this.#slots;
      if (op === Op.match) {
        this.#found = current.groups.slice(offset, offset + this.#slots);
        this.#found[1] = index;
        return;
      }
      if (op >= Op.rune && codePoint >= 0) {
        const matches =
          op === Op.any || (op === Op.anyButNewline ? codePoint !== 10 : instructions[pc]?.matchRune(codePoint));
        if (matches) this.#add(next, out[pc] as number, nextIndex, current.groups, offset);
      }
    }
  }

  /** Follows the instructions that take no character, depth first, and leaves a thread at each that takes one. */
  #add(threads: Threads, from: number, index: number, groups: Int32Array, offset: number): void {
    this.#depth = 0;
    for (let pc = from; ; ) {
      while (pc > 0 && !threads.has(pc)) pc = this.#follow(threads, pc, index, groups, offset);
      if (this.#depth === 0) return;
      const saved = this.#stack[--this.#depth] as number;
      const entry = this.#stack[--this.#depth] as number;
      if (entry < 0) groups[offset - entry - 1] = saved;
      pc = Math.max(entry, 0);
    }
  }

  /** @returns the next instruction, 0 where there is none */
  #follow(threads: Threads, pc: number, index: number, groups: Int32Array, offset: number): number {
    const { ops, out, arg } = this.#program;
    const argument = arg[pc] as number;
    const place = threads.add(pc);
    this.#steps += 1;
    switch (ops[pc]) {
      case Op.alternative:
      case Op.alternativeMatch:
        this.#push(argument, 0);
        return out[pc] as number;
      case Op.capture:
        if (argument < this.#slots) {
          // To be undone when the other branches are followed.
          this.#push(-argument - 1, groups[offset + argument] as number);
          groups[offset + argument] = index;
        }
        return out[pc] as number;
      case Op.emptyWidth:
        return (argument & ~conditionsAt(this.#text, index)) === 0 ? (out[pc] as number) : 0;
      case Op.nothing:
        return out[pc] as number;
      default:
        for (let slot = 0; slot < this.#slots; slot += 1) {
          threads.groups[place * this.#slots + slot] = groups[offset + slot] as number;
        }
        this.#steps += this.#slots >> 2;
        return 0;
    }
  }

  #push(entry: number, saved: number): void {
    this.#stack[this.#depth++] = entry;
    this.#stack[this.#depth++] = saved;
  }
}

/** What holds between two characters, in the bits of RE2: begin and end of line and text, at a word's edge or not. */
function conditionsAt(text: string, index: number): number {
  const before = index > 0 ? text.charCodeAt(index - 1) : -1;
  const behind = index < text.length ? text.charCodeAt(index) : -1;
  const line = (before < 0 || before === 10 ? 1 : 0) | (behind < 0 || behind === 10 ? 2 : 0);
  const ends = (before < 0 ? 4 : 0) | (behind < 0 ? 8 : 0);
  return line | ends | (isWord(before) === isWord(behind) ? 32 : 16);
}

function isWord(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
}
