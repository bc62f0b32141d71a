import { deadLettersCommand } from "./dead-letters-command.ts";
import { runCommand } from "./run-command.ts";

await runCommand(deadLettersCommand);
