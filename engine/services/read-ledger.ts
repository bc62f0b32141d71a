import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EngineError } from "../engine-error.ts";
import type { LedgerLine } from "./ledger.ts";
import { readLines } from "./ledger-table.ts";
import { storeFile } from "./queue-store.ts";

/**
 * The ledger of a data folder that no engine uses, after a crash too; no lines where there never was an engine.
 *
 * @throws {EngineError} `ERR_DATA_IN_USE` while an engine runs: `Engine.ledger` says it then.
 */
export function readLedger(dataFolder: string): readonly LedgerLine[] {
  const file = join(dataFolder, storeFile);
  if (!existsSync(file)) return [];
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    return hasLedger(database) ? readLines(database) : [];
  } catch (error) {
    const message = `the ledger in ${dataFolder} cannot be read; is an engine using it?`;
    throw new EngineError("ERR_DATA_IN_USE", message, { cause: error });
  } finally {
    database.close();
  }
}

/** A folder that was last used before there was a ledger has none. */
function hasLedger(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'accounts'").get() !== undefined;
}
