import { ClientError } from "../client/client-error.ts";
import { SchemeError } from "../scheme/scheme-error.ts";
import { BridgeError } from "./bridge-error.ts";
import { checkCommand } from "./check/check-command.ts";
import { configCommand } from "./config-command.ts";
import { planCommand } from "./plan/plan-command.ts";
import { ProvisionError } from "./provision/provision-error.ts";
import { relayCommand } from "./relay/relay-command.ts";
import { UsageError } from "./usage-error.ts";

const help = `Usage: npm run bridge -- COMMAND [options]

  config     write mosquitto.conf and its ACL file
  check      say what is wrong with a mosquitto.conf, whoever wrote it
  plan       say what a fleet needs and costs, plain and by the relay
  relay      run the relay: many messages in one publish, below IoT Core's quotas
  provision  make the bridge's certificate and policies in AWS IoT Core, and rotate them

npm run bridge -- COMMAND --help explains a command.`;

/** A number that it resolves to is the exit code. */
type Command = (args: readonly string[], print: (line: string) => void) => Promise<unknown>;

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["config", configCommand],
  ["check", checkCommand],
  ["plan", planCommand],
  ["relay", relayCommand],
  // Loaded when it is meant: the AWS SDK takes a quarter of a second.
  ["provision", async (...args) => (await import("./provision/provision-command.ts")).provisionCommand(...args)],
]);

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
  } else if (error instanceof ProvisionError || error instanceof ClientError) {
    console.error(`bridge: ${error.message} (${error.code})`);
    process.exitCode = 1;
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
    throw new UsageError(
      name === undefined ? `a command is needed: ${[...commands.keys()].join(", ")}` : `there is no command '${name}'`,
    );
  }
  const code = await command(args, (line) => console.log(line));
  if (typeof code === "number") process.exitCode = code;
}
