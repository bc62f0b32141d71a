import { UsageError } from "../bridge/usage-error.ts";
import { EngineError } from "../engine/engine-error.ts";
import { SchemeError } from "../scheme/scheme-error.ts";
import { Terminal } from "../start/terminal.ts";
import { OperateError } from "./operate-error.ts";

/** Whether everything was done that was asked for. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<boolean>;

/** Runs a command as a process: exit code 0 where it did everything, 1 where not, 2 for a command line that makes no sense. */
export async function runCommand(command: Command): Promise<void> {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0); // `| head` has seen enough
  });
  try {
    if (!(await command(process.argv.slice(2), new Terminal(process.stdout)))) process.exitCode = 1;
  } catch (error) {
    if (!isForTheUser(error)) throw error;
    console.error(error instanceof UsageError ? `${error.message} (see --help)` : error.message || error.name);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** What says in a line what is wrong with the command line, the files, AWS or the way there. */
function isForTheUser(error: unknown): error is Error {
  if ([UsageError, SchemeError, EngineError, OperateError].some((kind) => error instanceof kind)) return true;
  // Of the AWS SDK: what a service answered, and what kept the SDK from asking. Its classes are many.
  return error instanceof Error && ("$fault" in error || "$metadata" in error || sdkErrors.has(error.name));
}

const sdkErrors: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError", "TimeoutError"]);
