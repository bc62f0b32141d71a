import type { Writable } from "node:stream";

/** Lines that stay, and below them, on a terminal, one line that is rewritten in place. */
export class Terminal {
  readonly #output: Writable & { readonly isTTY?: boolean };
  #status = "";

  constructor(output: Writable & { readonly isTTY?: boolean }) {
    this.#output = output;
  }

  /** Whether a status is rewritten in place. */
  get isInteractive(): boolean {
    return this.#output.isTTY === true;
  }

  print(line: string): void {
    this.#output.write(`${this.#clear()}${line}\n${this.#status}`);
  }

  /** Where the output is no terminal, in a file say, every status is a line of its own. */
  showStatus(line: string): void {
    if (!this.isInteractive) {
      this.print(line);
      return;
    }
    this.#output.write(`${this.#clear()}${line}`);
    this.#status = line;
  }

  endStatus(): void {
    if (this.#status !== "") this.#output.write("\n");
    this.#status = "";
  }

  #clear(): string {
    return this.#status === "" ? "" : "\r\u001b[2K";
  }
}
