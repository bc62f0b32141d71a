/**
 * What an evaluation may take of the things that a message can make as many of as it likes: regular expressions and
 * dates. Beyond, they are Undefined. A step is one instruction of a pattern looked at for one character, 10 to 35 ns: all
 * take 35 ms at worst. To look for a word in the largest message, 128 KiB, takes a quarter of it.
 */
const MAX_STEPS = 1_000_000;

/** What is left: steps and not time, so that a message has the same result on every machine. */
export class StepBudget {
  #left = MAX_STEPS;
  readonly #prepared = new Set<string>();

  get left(): number {
    return this.#left;
  }

  /** @returns whether there was as much; where not, nothing is left. */
  spend(steps: number): boolean {
    this.#left = Math.max(-1, this.#left - steps);
    return this.#left >= 0;
  }

  /** `spend` for what is prepared once: whether it is still there from another message makes no difference. */
  spendOnce(name: string, steps: number): boolean {
    if (this.#prepared.has(name)) return this.#left >= 0;
    this.#prepared.add(name);
    return this.spend(steps);
  }
}
