import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type LedgerColumn, type LedgerEntry, type LedgerLine, ledgerColumns } from "./ledger.ts";

/** The name of a queue's table, quoted. */
export function tableName(queueName: string): string {
  return `"queue ${queueName}"`;
}

/** What is on disk of the ledger. Rows of queues are counted at each call. */
export function readLines(database: DatabaseSync): readonly LedgerLine[] {
  const owned = database.prepare("SELECT queue, account FROM accounts").all() as unknown as readonly Ownership[];
  const pending = new Map<string, number>();
  for (const { queue, account } of owned) {
    pending.set(account, (pending.get(account) ?? 0) + countRows(database, queue));
  }
  const lines = database.prepare("SELECT * FROM ledger ORDER BY account").all() as unknown as readonly LedgerLine[];
  return lines.map((line) => ({ ...line, pending: pending.get(line.account) ?? 0 }));
}

interface Ownership {
  readonly queue: string;
  readonly account: string;
}

/**
 * The ledger's two tables: a line for each account, and which queue is whose. A line changes in the transaction that
 * changes the rows it speaks of, once for all of them.
 */
export class LedgerTable {
  readonly #database: DatabaseSync;
  readonly #add: StatementSync;
  /** Entries of the transaction that is being written. Few: a queue makes each of its entries once. */
  readonly #tally = new Map<LedgerEntry, number>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(`
      CREATE TABLE IF NOT EXISTS ledger (
        account TEXT PRIMARY KEY, ${ledgerColumns.map((name) => `${name} INTEGER NOT NULL`).join()}) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS accounts (queue TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;`);
    this.#add = database.prepare(`
      INSERT INTO ledger (account, ${ledgerColumns.join()}) VALUES (?${", ?".repeat(ledgerColumns.length)})
      ON CONFLICT (account) DO UPDATE SET ${ledgerColumns.map((name) => `${name} = ${name} + excluded.${name}`).join()}`);
  }

  /**
   * Says whose a queue's messages are, and gives that back. A queue whose rule has gone stays in the account; where
   * another rule has it now, or it had none, the messages in it are taken over as received.
   */
  assign(queue: string, wanted: string | undefined): string | undefined {
    const find = this.#database.prepare("SELECT account FROM accounts WHERE queue = ?");
    const present = (find.get(queue) as Pick<Ownership, "account"> | undefined)?.account;
    if (wanted === undefined || wanted === present) return present;
    const rows = countRows(this.#database, queue);
    this.#database.exec("BEGIN IMMEDIATE");
    this.#database.prepare("INSERT OR REPLACE INTO accounts (queue, account) VALUES (?, ?)").run(queue, wanted);
    if (present !== undefined) this.tally({ account: present, amounts: { received: -rows } });
    this.tally({ account: wanted, amounts: { received: rows } });
    this.write();
    this.#database.exec("COMMIT");
    return wanted;
  }

  /** Counts an entry with the transaction. */
  tally(entry: LedgerEntry): void {
    this.#tally.set(entry, (this.#tally.get(entry) ?? 0) + 1);
  }

  /** Writes what was counted, within the transaction. */
  write(): void {
    const sums = new Map<string, Record<LedgerColumn, number>>();
    for (const [{ account, amounts }, times] of this.#tally) {
      const sum = sums.get(account) ?? zeros();
      sums.set(account, sum);
      for (const [column, amount] of Object.entries(amounts)) sum[column as LedgerColumn] += times * amount;
    }
    for (const [account, sum] of sums) this.#add.run(account, ...ledgerColumns.map((name) => sum[name]));
    this.#tally.clear();
  }

  /** Forgets what was counted for a transaction that failed. */
  discard(): void {
    this.#tally.clear();
  }
}

function countRows(database: DatabaseSync, queue: string): number {
  return (database.prepare(`SELECT count(*) AS count FROM ${tableName(queue)}`).get() as { count: number }).count;
}

function zeros(): Record<LedgerColumn, number> {
  return Object.fromEntries(ledgerColumns.map((name) => [name, 0])) as Record<LedgerColumn, number>;
}
