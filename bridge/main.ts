import { SchemeError } from "../scheme/scheme-error.ts";
import { BridgeError } from "./bridge-error.ts";
import { configCommand } from "./config-command.ts";
import { UsageError } from "./usage-error.ts";

const help = `Usage: npm run bridge -- COMMAND [options]

  config   write mosquitto.conf and its ACL file

npm run bridge -- COMMAND --help explains a command.`;

type Command = (args: readonly string[], print: (line: string) => void) => Promise<void>;

const commands: ReadonlyMap<string, Command> = new Map([["config", configCommand]]);

try {
  await run(process.argv.slice(2));
} catch (error) {
  // What the user can mend is told in their words; the rest is our fault, and keeps its stack.
  if (error instanceof UsageError) {
    console.error(`bridge: ${error.message} (see --help)`);
    process.exitCode = 2;
  } else if (error instanceof BridgeError) {
    console.error(`bridge: ${error.message} (${error.code})`);
    process.exitCode = 2;
  } else if (error instanceof SchemeError) {
    console.error(error.message);
    process.exitCode = 2;
  } else {
    throw error;
  }
}

async function run([name, ...args]: readonly string[]): Promise<void> {
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(help);
    return;
  }
  const command = commands.get(name ?? "");
  if (command === undefined) {
    throw new UsageError(name === undefined ? "a command is needed: config" : `there is no command '${name}'`);
  }
  await command(args, (line) => console.log(line));
}
