import { failed, type Recipient, succeeded } from "./answer.ts";
import { type ArrivedMessage, type DeviceCommand, readArrival } from "./arrival.ts";
import type { Answer, CommandLog } from "./command-log.ts";
import { DeviceError } from "./device-error.ts";

/** Does what a command says; what it gives back is the answer's body, and what it throws the reason of a failure. */
export type CommandHandler = (command: DeviceCommand) => unknown;

export interface CommandsOptions {
  readonly log: CommandLog;
  readonly onCommand: CommandHandler;
  readonly answer: (recipient: Recipient, answer: Answer) => void;
  readonly onProblem: (error: DeviceError) => void;
  /** Commands that may wait for their turn. */
  readonly capacity: number;
}

interface Waiting {
  readonly command: DeviceCommand;
  readonly recipient: Recipient;
  /** Resolves when the store knows of it. */
  readonly accepted: Promise<void>;
}

/** Has each command handled once, one at a time and in the order of arrival, and answered however often it comes. */
export class Commands {
  readonly #options: CommandsOptions;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Takes what arrived on the commands topic. Never throws. */
  take(message: ArrivedMessage): void {
    if (this.#isClosed) return;
    const arrival = readArrival(message);
    switch (arrival.kind) {
      case "cleared":
        return;
      case "malformed": {
        const { error, commandId, address } = arrival;
        this.#report("COMMAND_INVALID", `a message is no command: ${error.message}`, { cause: error });
        if (commandId !== undefined) this.#options.answer({ commandId, address }, failed(error));
        return;
      }
      case "command":
        this.#consider(arrival.command, { commandId: arrival.command.id, address: arrival.address });
        return;
      default:
        arrival satisfies never;
    }
  }

  /** Takes no more, and forgets what waits, which nobody was told about. Resolves when the running handler has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { command } of this.#waiting) this.#options.log.drop(command);
    this.#waiting = [];
    await this.#running;
  }

  #consider(command: DeviceCommand, recipient: Recipient): void {
    const { log, answer, capacity } = this.#options;
    const verdict = log.judge(command);
    if (verdict.kind === "answer") answer(recipient, verdict.answer);
    if (verdict.kind !== "handle") return;
    if (this.#waiting.length >= capacity) {
      this.#report("COMMANDS_WAITING", `${capacity} commands wait, which is the limit; ${command.id} is dropped`);
      return;
    }
    const accepted = log.accept(command).catch(this.#options.onProblem);
    this.#waiting.push({ command, recipient, accepted });
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // so that nothing runs within the call that delivers a message
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await this.#handle(next);
    this.#running = undefined;
  }

  async #handle({ command, recipient, accepted }: Waiting): Promise<void> {
    const { log, onCommand, answer, onProblem } = this.#options;
    await accepted;
    if (log.judge(command).kind !== "wait") return log.drop(command); // became outdated, or expired, while it waited
    let given: Answer;
    try {
      given = succeeded(await onCommand(command));
    } catch (error) {
      given = failed(error);
    }
    await log.finish(command, given).catch(onProblem);
    answer(recipient, given);
  }

  #report(code: "COMMAND_INVALID" | "COMMANDS_WAITING", message: string, options?: ErrorOptions): void {
    this.#options.onProblem(new DeviceError(code, message, options));
  }
}
