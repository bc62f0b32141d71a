import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Receipt } from "../../client/receipts.ts";
import { EngineError } from "../engine-error.ts";
import { type Change, type ChangeKind, changeKinds, type Stage, StorageError } from "./change.ts";
import type { LedgerEntry, LedgerLine } from "./ledger.ts";
import { LedgerTable, readLines } from "./ledger-table.ts";
import { makeQueueTable, type QueueTable } from "./queue-table.ts";
import { ReceiptTable } from "./receipt-table.ts";

/** The database in the data folder. */
export const storeFile = "queues.sqlite";

/**
 * How long a settled message may wait to be written with the messages that come in. A crash in this time delivers it
 * once more, as at any time between the API's answer and the disk.
 */
const settleMs = 20;
/** A quarter less processor time for a message than with SQLite's usual 4,096: it takes part of a page. */
const pageBytes = 16_384;
/** How long changes that could not be written (a full disk) wait for the next try. */
const retryMs = 1000;

/**
 * The queues' messages on disk: SQLite with a write-ahead log that is synced at every commit (`synchronous=FULL`), so
 * that they outlive `kill -9` and a power cut. Everything staged in one turn of the event loop is one transaction: the
 * sync costs the same for one message and for hundreds. The ledger's lines and the receipts change with it.
 */
export class QueueStore implements Stage, Disposable {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #ledger: LedgerTable;
  readonly #receipts: ReceiptTable;
  #staged = noChanges();
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param folder Made where it is missing; one engine at a time holds it.
   * @param maximumBytes A store of this size refuses messages, as a full disk does.
   * @throws {EngineError} `ERR_DATA_IN_USE`
   */
  constructor(folder: string, maximumBytes = Number.POSITIVE_INFINITY) {
    mkdirSync(folder, { recursive: true });
    this.#database = new DatabaseSync(join(folder, storeFile), { timeout: 0 });
    try {
      // Exclusive: a second engine on these queues would deliver every message a second time.
      this.#database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`);
      this.#database.exec("BEGIN IMMEDIATE; COMMIT;");
    } catch (error) {
      this.#database.close();
      const message = `the queues in ${folder} cannot be opened; is another engine using them?`;
      throw new EngineError("ERR_DATA_IN_USE", message, { cause: error });
    }
    this.maximumBytes = maximumBytes;
    this.#begin = this.#database.prepare("BEGIN IMMEDIATE");
    this.#commit = this.#database.prepare("COMMIT");
    this.#ledger = new LedgerTable(this.#database);
    this.#receipts = new ReceiptTable(this.#database);
  }

  /** Room is made, or taken away. */
  set maximumBytes(bytes: number) {
    // SQLite's own limit is 4,294,967,294 pages.
    const pages = Math.min(Math.floor(bytes / pageBytes), 4_294_967_294);
    this.#database.exec(`PRAGMA max_page_count = ${pages}`);
  }

  /** The table of a queue, made where it is missing. */
  table(queueName: string): QueueTable {
    return makeQueueTable(this.#database, queueName, this);
  }

  /** The account that a queue's messages belong to: the given one, or else the one that it had before. */
  account(queueName: string, account: string | undefined): string | undefined {
    return this.#ledger.assign(queueName, account);
  }

  /** Staged: counts messages of which no row speaks. */
  count(entry: LedgerEntry): void {
    this.stage("settle", { entries: [entry] });
  }

  /** The id that was given to a message which the broker delivers again, undefined where it is not remembered. */
  findReceipt(packetIdentifier: number, fingerprint: string): string | undefined {
    return this.#receipts.find(packetIdentifier, fingerprint);
  }

  /** Staged: remembers a message with its rows, which have to be staged in the same turn; without rows, nothing. */
  remember(receipt: Receipt): void {
    if (this.#staged.insert.length === 0 || !this.#receipts.add(receipt)) return;
    this.stage("insert", {
      run: () => this.#receipts.write(),
      done: (error) => this.#receipts.settle(error === undefined),
    });
  }

  /** The ledger as it is on disk. */
  readLedger(): readonly LedgerLine[] {
    return readLines(this.#database);
  }

  stage(kind: ChangeKind, change: Change): void {
    this.#staged[kind].push(change);
    if (kind === "insert" || kind === "move") {
      // After the packets of one socket read are handled, which are then one transaction.
      this.#immediate ??= setImmediate(() => this.flush());
    } else {
      this.#timer ??= setTimeout(() => this.flush(), settleMs);
    }
  }

  /** Writes what is staged; says whether nothing is left that could not be written. */
  flush(): boolean {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    if (!this.#database.isOpen) return false;
    const staged = this.#staged;
    this.#staged = noChanges();
    // All together, or what is left without the kind that takes the most room.
    const errors = new Map<ChangeKind, StorageError>();
    for (const [index, kind] of changeKinds.entries()) {
      const error = this.#write(changeKinds.slice(index).flatMap((each) => staged[each]));
      if (error === undefined) break;
      errors.set(kind, error);
    }
    for (const kind of ["insert", "move"] as const) {
      for (const { done } of staged[kind]) done?.(errors.get(kind));
    }
    return this.#keep(staged, errors);
  }

  /** Writes what is staged and closes the database. */
  [Symbol.dispose](): void {
    this.flush();
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#database.close();
  }

  /** An insert's or a move's sender was told and keeps the message. What a message has come to must not be forgotten. */
  #keep(staged: Staged, errors: ReadonlyMap<ChangeKind, StorageError>): boolean {
    if (!errors.has("postpone")) return true;
    this.#staged.postpone = [...staged.postpone, ...this.#staged.postpone];
    if (errors.has("settle")) this.#staged.settle = [...staged.settle, ...this.#staged.settle];
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), retryMs);
    return false;
  }

  #write(changes: readonly Change[]): StorageError | undefined {
    if (changes.length === 0) return undefined;
    try {
      this.#begin.run();
      for (const { release } of changes) release?.();
      for (const { run, entries } of changes) {
        run?.();
        if (entries !== undefined) for (const entry of entries) if (entry !== undefined) this.#ledger.tally(entry);
      }
      this.#ledger.write();
      this.#commit.run();
      return undefined;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#ledger.discard();
      return new StorageError(`cannot be written: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
}

type Staged = Record<ChangeKind, Change[]>;

function noChanges(): Staged {
  return { insert: [], move: [], postpone: [], settle: [] };
}
