import { parseArgs } from "node:util";
import { UsageError } from "../bridge/usage-error.ts";
import { type Place, placeFlags, placeHelp, readPlace } from "./place.ts";

export const ledgerHelp = `Usage: npm run ledger -- [options]

Shows for each topic rule that every message that was received is accounted for:

  received = delivered + dead + expired + pending + filtered + dropped

Exits with 1 where that does not hold. Asks the engine that runs, else reads what it left on disk.

  --json           the lines as JSON

Where
${placeHelp}`;

export interface LedgerOptions {
  readonly place: Place;
  readonly isJson: boolean;
}

/** Reads the command line, undefined where it asks for help. @throws {UsageError} */
export function readOptions(args: readonly string[]): LedgerOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  return { place: readPlace(values), isJson: values.json };
}

function parse(args: readonly string[]) {
  const options = { ...placeFlags, json: { type: "boolean", default: false } } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
