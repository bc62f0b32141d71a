import type { Doubt } from "../doubt.ts";
import type { MessageOfRun } from "./message-of-run.ts";
import type { ApiMessage, Ended, Receipt, Taken } from "./protocol.ts";

/**
 * Tells the parent process what the API takes, and lets it go on when the parent's end of the pipe has it: a receipt
 * outlives `kill -9` of this process, and what has no receipt has not been answered. What comes in one turn of the event
 * loop is one message.
 */
export class Journal {
  readonly #send: (message: ApiMessage, written: () => void) => void;
  #taken: Taken[] = [];
  #ended: Ended[] = [];
  #unexpected: string[] = [];
  #refused = 0;
  #written: (() => void)[] = [];
  #requests = 0;
  #immediate: NodeJS.Immediate | undefined;

  /** @param send Calls back when the operating system has the message. */
  constructor(send: (message: ApiMessage, written: () => void) => void) {
    this.#send = send;
  }

  /** Resolves when the message counts as taken. */
  take(message: MessageOfRun, doubt?: Doubt): Promise<Receipt> {
    const receipt = { request: this.#requests++, messageNumber: message.messageNumber };
    this.#taken.push({ ...receipt, idempotencyKey: message.idempotencyKey, doubt });
    this.#schedule();
    return new Promise((resolve) => this.#written.push(() => resolve(receipt)));
  }

  end(receipt: Receipt, doubt?: Doubt): void {
    this.#ended.push({ ...receipt, doubt });
    this.#schedule();
  }

  refuse(): void {
    this.#refused += 1;
    this.#schedule();
  }

  noteUnexpected(line: string): void {
    this.#unexpected.push(line);
    this.#schedule();
  }

  #schedule(): void {
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#immediate = undefined;
    const written = this.#written;
    const news = { taken: this.#taken, ended: this.#ended, unexpected: this.#unexpected, refused: this.#refused };
    this.#taken = [];
    this.#ended = [];
    this.#unexpected = [];
    this.#refused = 0;
    this.#written = [];
    this.#send({ kind: "news", ...news }, () => {
      for (const resolve of written) resolve();
    });
  }
}
