import type { Terminal } from "../start/terminal.ts";

export interface ProgressOptions {
  /** What happens to each, e.g. `replayed`. */
  readonly verb: string;
  /** How many there will be, where that is known. */
  readonly total?: number;
  /** Milliseconds of a clock. */
  readonly now?: () => number;
}

const barWidth = 24;
/** Milliseconds between two lines: on a terminal, where one replaces the other, and in a file. */
const interactiveMs = 100;
const otherMs = 10_000;

/** Says how far a long work is, now and then. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #startedAt: number;
  #shownAt: number;
  #count = 0;

  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#startedAt = this.#now();
    this.#shownAt = this.#startedAt;
  }

  /** One more is done. */
  advance(): void {
    this.#count += 1;
    const now = this.#now();
    if (now - this.#shownAt < (this.#terminal.isInteractive ? interactiveMs : otherMs)) return;
    this.#shownAt = now;
    this.#terminal.showStatus(this.#line(now));
  }

  /** Leaves the line as it stands. */
  end(): void {
    this.#terminal.endStatus();
  }

  #line(now: number): string {
    const { verb, total } = this.#options;
    const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
    const rate = `${numbers.format((this.#count * 1000) / (now - this.#startedAt))}/s`;
    if (total === undefined) return `${verb} ${numbers.format(this.#count)}  ${rate}`;
    const filled = Math.floor((this.#count / total) * barWidth);
    const bar = `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]`;
    return `${verb} ${bar} ${numbers.format(this.#count)} of ${numbers.format(total)}  ${rate}`;
  }
}
