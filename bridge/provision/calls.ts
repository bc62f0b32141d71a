import { callError, isNotFound } from "./call-error.ts";

/** A call to AWS by the name of the permission that it needs, e.g. `iot:CreatePolicy`, and what it is about. */
export interface Call {
  readonly action: `${"iot" | "secretsmanager"}:${string}`;
  readonly about: string;
}

export interface CallsOptions {
  /** Makes the calls that only read, and says of the others what they would be. */
  readonly isDryRun: boolean;
  readonly print: (line: string) => void;
}

/** Calls to AWS, each change told to whoever runs the command. */
export class Calls {
  readonly isDryRun: boolean;
  readonly #print: (line: string) => void;

  constructor({ isDryRun, print }: CallsOptions) {
    this.isDryRun = isDryRun;
    this.#print = print;
  }

  print(line: string): void {
    this.#print(line);
  }

  /** A call that changes nothing; a dry run makes it. @throws {ProvisionError} */
  async read<Output>(call: Call, send: () => Promise<Output>): Promise<Output> {
    if (this.isDryRun) this.#print(`${describe(call)} (reads)`);
    return await this.#send(call, send);
  }

  /** As `read`; undefined where what is asked for does not exist. */
  async find<Output>(call: Call, send: () => Promise<Output>): Promise<Output | undefined> {
    return await this.read(call, async () => {
      try {
        return await send();
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    });
  }

  /** A call that changes something; a dry run only prints it, and goes on with what stands in for the answer. */
  async change<Output>(call: Call, send: () => Promise<Output>, standIn: Output, details?: string): Promise<Output> {
    if (this.isDryRun) {
      this.#print(`${describe(call)} (not made)${details === undefined ? "" : `\n  ${details}`}`);
      return standIn;
    }
    const output = await this.#send(call, send);
    this.#print(describe(call));
    return output;
  }

  async #send<Output>(call: Call, send: () => Promise<Output>): Promise<Output> {
    try {
      return await send();
    } catch (error) {
      throw callError(call, error);
    }
  }
}

function describe({ action, about }: Call): string {
  return `${action} ${about}`;
}
