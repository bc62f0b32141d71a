import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { EngineError } from "../engine-error.ts";

/** A message as it is kept. */
export interface StoredMessage {
  /** Position in the queue's table; later messages have larger ones. */
  readonly id: number;
  readonly messageId: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** How often it was received before it was last put off. */
  readonly receiveCount: number;
}

/** What could not be written, on a full disk say. The same may succeed later, unlike what a queue refuses. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/** One queue's table. */
export interface QueueTable {
  readonly lastId: number;
  count(): number;
  /** Messages that were put off and not given out again since. */
  countPutOff(): number;
  /** Staged; `done` is called when it is on disk, or with the error when it cannot be written. */
  insert(message: StoredMessage, done?: (error?: StorageError) => void): void;
  /** Staged: takes a message of another table in, and out of there, both or neither. */
  moveIn(message: StoredMessage, from: QueueTable, fromId: number, done: (error?: StorageError) => void): void;
  /** For `moveIn` of another table, within its transaction. */
  removeNow(id: number): void;
  /** Staged. */
  remove(id: number): void;
  /** Staged: keeps a message back until a time in milliseconds since 1970; `done` is called when that is on disk. */
  putOff(id: number, dueAt: number, receiveCount: number, done: () => void): void;
  /** Messages that were never put off, in order, after a position. */
  readFresh(afterId: number, limit: number): StoredMessage[];
  /** Messages whose time has come; each is given out once. */
  takeDue(now: number, limit: number): StoredMessage[];
  /** When the next message that was put off is due, undefined where there is none. */
  nextDueAt(): number | undefined;
}

interface Change {
  readonly run: () => void;
  readonly done: ((error?: StorageError) => void) | undefined;
}

/** In the column `due`: never put off; put off, and given out since. A time is when a message that was put off is due. */
const fresh = 0;
const givenOut = -1;

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
 * sync costs the same for one message and for hundreds.
 */
export class QueueStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #inserts: Change[] = [];
  #settlements: Change[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param folder Made where it is missing; one engine at a time holds it.
   * @param maximumBytes A store of this size refuses messages, as a full disk does.
   * @throws {EngineError} `ERR_DATA_IN_USE`
   */
  constructor(folder: string, maximumBytes = Number.POSITIVE_INFINITY) {
    mkdirSync(folder, { recursive: true });
    this.#database = new DatabaseSync(join(folder, "queues.sqlite"), { timeout: 0 });
    try {
      // Exclusive: a second engine on these queues would deliver every message a second time.
      this.#database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`);
      this.#database.exec("BEGIN IMMEDIATE; COMMIT;");
      const pages = Math.floor(maximumBytes / pageBytes);
      if (Number.isFinite(pages)) this.#database.exec(`PRAGMA max_page_count = ${pages}`);
    } catch (error) {
      this.#database.close();
      const message = `the queues in ${folder} cannot be opened; is another engine using them?`;
      throw new EngineError("ERR_DATA_IN_USE", message, { cause: error });
    }
    this.#begin = this.#database.prepare("BEGIN IMMEDIATE");
    this.#commit = this.#database.prepare("COMMIT");
  }

  /** The table of a queue, made where it is missing. */
  table(queueName: string): QueueTable {
    const name = `"queue ${queueName}"`;
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS ${name} (
        id INTEGER PRIMARY KEY, messageId TEXT NOT NULL, body TEXT NOT NULL, sentAt INTEGER NOT NULL,
        receiveCount INTEGER NOT NULL, due INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS "due ${queueName}" ON ${name} (due) WHERE due > 0;
      UPDATE ${name} SET due = ${fresh} WHERE due = ${givenOut};`);
    const prepare = (sql: string) => this.#database.prepare(sql);
    const columns = "id, messageId, body, sentAt, receiveCount";
    const insert = prepare(`INSERT INTO ${name} (${columns}, due) VALUES (?, ?, ?, ?, ?, ${fresh})`);
    const remove = prepare(`DELETE FROM ${name} WHERE id = ?`);
    const putOff = prepare(`UPDATE ${name} SET due = ?, receiveCount = ? WHERE id = ?`);
    const readFresh = prepare(`SELECT ${columns} FROM ${name} WHERE id > ? AND due = ${fresh} ORDER BY id LIMIT ?`);
    const takeDue = prepare(`UPDATE ${name} SET due = ${givenOut}
      WHERE id IN (SELECT id FROM ${name} WHERE due > 0 AND due <= ? ORDER BY due LIMIT ?) RETURNING ${columns}`);
    const nextDue = prepare(`SELECT min(due) AS due FROM ${name} WHERE due > 0`);
    const count = prepare(`SELECT count(*) AS count FROM ${name}`);
    const countPutOff = prepare(`SELECT count(*) AS count FROM ${name} WHERE due > 0`);
    const last = prepare(`SELECT max(id) AS id FROM ${name}`).get() as { id: number | null };
    const insertNow = ({ id, messageId, body, sentAt, receiveCount }: StoredMessage) =>
      insert.run(id, messageId, body, sentAt, receiveCount);
    return {
      lastId: last.id ?? 0,
      count: () => (count.get() as { count: number }).count,
      countPutOff: () => (countPutOff.get() as { count: number }).count,
      insert: (message, done) => this.#insert({ run: () => insertNow(message), done }),
      moveIn: (message, from, fromId, done) =>
        this.#insert({
          run: () => {
            insertNow(message);
            from.removeNow(fromId);
          },
          done,
        }),
      removeNow: (id) => remove.run(id),
      remove: (id) => this.#settle({ run: () => remove.run(id), done: undefined }),
      putOff: (id, dueAt, receiveCount, done) => this.#settle({ run: () => putOff.run(dueAt, receiveCount, id), done }),
      readFresh: (afterId, limit) => readFresh.all(afterId, limit) as unknown as StoredMessage[],
      takeDue: (now, limit) => takeDue.all(now, limit) as unknown as StoredMessage[],
      nextDueAt: () => (nextDue.get() as { due: number | null }).due ?? undefined,
    };
  }

  /** Writes what is staged and closes the database. */
  [Symbol.dispose](): void {
    this.#flush();
    this.#database.close();
  }

  #insert(change: Change): void {
    this.#inserts.push(change);
    // After the packets of one socket read are handled, which are then one transaction.
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  #settle(change: Change): void {
    this.#settlements.push(change);
    this.#timer ??= setTimeout(() => this.#flush(), settleMs);
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    if (!this.#database.isOpen) return;
    const inserts = this.#inserts;
    const settlements = this.#settlements;
    this.#inserts = [];
    this.#settlements = [];
    const error = this.#write([...inserts, ...settlements]);
    for (const { done } of inserts) done?.(error);
    // What frees a full disk must not fail with what fills it.
    if (error === undefined || this.#write(settlements) === undefined) {
      for (const { done } of settlements) done?.();
    } else {
      // An insert's sender was told and keeps the message. A settled message must not come back: try again.
      this.#settlements = [...settlements, ...this.#settlements];
      this.#timer = setTimeout(() => this.#flush(), retryMs);
    }
  }

  #write(changes: readonly Change[]): StorageError | undefined {
    if (changes.length === 0) return undefined;
    try {
      this.#begin.run();
      for (const { run } of changes) run();
      this.#commit.run();
      return undefined;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return new StorageError(`cannot be written: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
}
