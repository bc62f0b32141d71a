import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkLedger, type LedgerLine } from "../../engine/services/ledger.ts";
import { projectRoot } from "../../infra/bundle.ts";
import { Deployment } from "../../operate/deployment.ts";
import { findServices } from "../../operate/services-file.ts";
import { numberIn } from "./fleet.ts";

/** Numbers of the messages among the dead letters of a running engine. */
export async function readDeadLetters(configFile: string, dataFolder: string): Promise<ReadonlySet<number>> {
  using deployment = await Deployment.open({ configFile, dataFolder, isAws: false });
  const dead = new Set<number>();
  for await (const { message } of deployment.deadLetters.list({})) dead.add(numberInMessage(message));
  return dead;
}

/** Why a running engine's ledger does not add up, or holds less messages than it should. */
export async function checkRunningLedger(dataFolder: string, messages: number): Promise<readonly string[]> {
  const { ledgerUrl } = await findServices(dataFolder);
  return faultsOf((await (await fetch(ledgerUrl)).json()) as readonly LedgerLine[], messages);
}

/** What `npm run ledger` says of the files that the engine has left, where that is a fault. */
export async function checkLedgerOnDisk(dataFolder: string): Promise<readonly string[]> {
  try {
    await promisify(execFile)(process.execPath, [join(projectRoot, "operate/ledger.ts"), "--data", dataFolder]);
    return [];
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return [`npm run ledger ended with ${code}: ${stdout}${stderr}`];
  }
}

/** Sums that do not match, and messages of which the ledger knows nothing. */
export function faultsOf(lines: readonly LedgerLine[], messages: number): readonly string[] {
  const received = lines.reduce((sum, line) => sum + line.received, 0);
  const differences = checkLedger(lines).filter(({ difference }) => difference !== 0);
  return [
    ...differences.map(({ account, difference }) => `the ledger of ${account} differs by ${difference}`),
    ...(received < messages ? [`the ledger has received ${received} messages of ${messages}`] : []),
  ];
}

/** A message that the rule could not send on, or that is none of the run's, has no number: -1. */
function numberInMessage(message: string): number {
  try {
    const { data } = JSON.parse(message) as { readonly data: string };
    const { body } = JSON.parse(Buffer.from(data, "base64").toString()) as { readonly body: object };
    return numberIn(JSON.stringify(body)) ?? -1;
  } catch {
    return -1;
  }
}
