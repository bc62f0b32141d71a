import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { LedgerTable } from "../../engine/services/ledger-table.ts";
import { storeFile } from "../../engine/services/queue-store.ts";
import { checkLedgerOnDisk, faultsOf } from "./aftermath.ts";

const line = {
  ...{ account: "r", received: 5, replayed: 0, delivered: 4, dead: 1 },
  ...{ expired: 0, filtered: 0, dropped: 0, lost: 0, pending: 0 },
};

test("a ledger has to add up, and to know of every message", () => {
  expect(faultsOf([line], 5)).toEqual([]);
  expect(faultsOf([{ ...line, delivered: 3 }], 5)).toEqual(["the ledger of r differs by 1"]);
  expect(faultsOf([line], 6)).toEqual(["the ledger has received 5 messages of 6"]);
});

test("npm run ledger is asked about what is on disk", async () => {
  expect(await checkLedgerOnDisk(ledgerOf({ received: 5, delivered: 5 }))).toEqual([]);
  expect(await checkLedgerOnDisk(ledgerOf({ received: 5, delivered: 4 }))).toEqual([
    expect.stringContaining("does not add up: r misses 1"),
  ]);
});

function ledgerOf(amounts: { readonly received: number; readonly delivered: number }): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-aftermath-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const database = new DatabaseSync(join(folder, storeFile));
  const ledger = new LedgerTable(database);
  ledger.tally({ account: "r", amounts });
  ledger.write();
  database.close();
  return folder;
}
