import { checkLedger, type LedgerDifference, type LedgerLine } from "../engine/services/ledger.ts";
import { readLedger } from "../engine/services/read-ledger.ts";
import type { Terminal } from "../start/terminal.ts";
import { ledgerHelp, readOptions } from "./ledger-options.ts";
import { OperateError } from "./operate-error.ts";
import { engineFolders, lookForServices, notRunning } from "./services-file.ts";
import { formatTable } from "./table.ts";

/** `ledger`: whether it adds up. @throws {UsageError | OperateError | EngineError} */
export async function ledgerCommand(args: readonly string[], terminal: Terminal): Promise<boolean> {
  const options = readOptions(args);
  if (options === undefined) {
    terminal.print(ledgerHelp);
    return true;
  }
  const { place, isJson } = options;
  if (place.isAws) throw new OperateError("AWS_UNSUPPORTED", onAws);
  const lines = await currentLedger(place.dataFolder);
  const differences = checkLedger(lines).filter(({ difference }) => difference !== 0);
  if (isJson) terminal.print(JSON.stringify({ addsUp: differences.length === 0, lines, differences }, undefined, 2));
  else for (const line of describe(lines, differences)) terminal.print(line);
  return differences.length === 0;
}

const onAws =
  "on AWS the ledger is in CloudWatch: compare the metrics Received, Delivered and DeadLettered of the namespace " +
  "Trestle, each by route, over a period at whose ends the route's queues were empty and in which nothing was replayed";

/** Of the engine that runs, else what the last one left. */
async function currentLedger(dataFolder: string): Promise<readonly LedgerLine[]> {
  const services = await lookForServices(dataFolder);
  if (services !== undefined) return (await (await fetch(services.ledgerUrl)).json()) as LedgerLine[];
  const lines = engineFolders(dataFolder)
    .map(readLedger)
    .find(({ length }) => length > 0);
  if (lines === undefined) throw notRunning(dataFolder);
  return lines;
}

const columns = ["received", "delivered", "dead", "expired", "pending", "filtered", "dropped"] as const;

function describe(lines: readonly LedgerLine[], differences: readonly LedgerDifference[]): readonly string[] {
  const rows = lines.map((line) => [line.account, ...columns.map((column) => line[column])]);
  const table = formatTable(["rule", ...columns], rows);
  if (differences.length === 0) return [...table, "", "adds up"];
  const lost = new Map(lines.map((line) => [line.account, line.lost]));
  return [...table, "", ...differences.map((difference) => accuse(difference, lost.get(difference.account) ?? 0))];
}

/** @param lost Messages of which it is known that nobody has them. */
function accuse({ account, difference }: LedgerDifference, lost: number): string {
  const numbers = new Intl.NumberFormat("en");
  if (difference < 0) {
    return `does not add up: ${account} has ${numbers.format(-difference)} more than were received`;
  }
  const reason =
    lost === 0 ? "" : `, of which ${numbers.format(lost)} refused by the rule's action and its error action`;
  return `does not add up: ${account} misses ${numbers.format(difference)}${reason}`;
}
