import { ledgerCommand } from "./ledger-command.ts";
import { runCommand } from "./run-command.ts";

await runCommand(ledgerCommand);
