import { BridgeError } from "../bridge/bridge-error.ts";
import { UsageError } from "../bridge/usage-error.ts";
import { ClientError } from "../client/client-error.ts";
import { EngineError } from "../engine/engine-error.ts";
import { SchemeError } from "../scheme/scheme-error.ts";
import { help, readOptions } from "./options.ts";
import { start } from "./start.ts";
import { Terminal } from "./terminal.ts";

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(help);
  else await start(options, new Terminal(process.stdout), untilInterrupted());
} catch (error) {
  if (!isForTheUser(error)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** What says in a line what is wrong with the user's files, options or machine. */
function isForTheUser(error: unknown): error is Error {
  return [UsageError, SchemeError, EngineError, BridgeError, ClientError].some((kind) => error instanceof kind);
}

/** Resolves at the first Ctrl-C; a second one ends the process where it stands. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
