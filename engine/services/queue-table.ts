import type { DatabaseSync } from "node:sqlite";
import { type Stage, StorageError } from "./change.ts";
import type { LedgerEntry } from "./ledger.ts";
import { tableName } from "./ledger-table.ts";

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

/** One queue's table. What is staged is written with everything of the same turn of the event loop. */
export interface QueueTable {
  readonly lastId: number;
  count(): number;
  /** Messages that were put off and not given out again since: received before, and never received. */
  countPutOff(): { readonly received: number; readonly delayed: number };
  /** When the first of the messages was sent, undefined where there is none. */
  firstSentAt(): number | undefined;
  /**
   * Staged; `done` is called when it is on disk, or with the error when it cannot be written.
   *
   * @param dueAt When it is to be given out first, in milliseconds since 1970; undefined for at once.
   */
  insert(
    message: StoredMessage,
    dueAt: number | undefined,
    entry: LedgerEntry | undefined,
    done: (error?: StorageError) => void,
  ): void;
  /** Staged: takes a message of another table in, and out of there, both or neither. */
  moveIn(
    message: StoredMessage,
    from: QueueTable,
    fromId: number,
    entries: readonly (LedgerEntry | undefined)[],
    done: (error?: StorageError) => void,
  ): void;
  /** For `moveIn` of another table, within its transaction. */
  removeNow(id: number): void;
  /** Staged. */
  remove(id: number, entry: LedgerEntry | undefined): void;
  /** Staged: keeps a message back until a time in milliseconds since 1970. */
  putOff(id: number, dueAt: number, receiveCount: number): void;
  /** Messages that were never put off, in order, after a position. */
  readFresh(afterId: number, limit: number): StoredMessage[];
  /**
   * Messages whose time has come; each is given out once.
   *
   * @throws {StorageError} where it cannot be written that they are given out.
   */
  takeDue(now: number, limit: number): StoredMessage[];
  /** When the next message that was put off is due, undefined where there is none. */
  nextDueAt(): number | undefined;
  /** A message that is put off, undefined where it is not, or is gone. */
  findPutOff(id: number): (StoredMessage & { readonly dueAt: number }) | undefined;
}

/** In the column `due`: never put off; put off, and given out since. A time is when a message that was put off is due. */
const fresh = 0;
const givenOut = -1;

/** Makes the table where it is missing. Messages that were given out before are fresh again. */
export function makeQueueTable(database: DatabaseSync, queueName: string, stage: Stage): QueueTable {
  const name = tableName(queueName);
  database.exec(`
    CREATE TABLE IF NOT EXISTS ${name} (
      id INTEGER PRIMARY KEY, messageId TEXT NOT NULL, body TEXT NOT NULL, sentAt INTEGER NOT NULL,
      receiveCount INTEGER NOT NULL, due INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS "due ${queueName}" ON ${name} (due) WHERE due > 0;
    UPDATE ${name} SET due = ${fresh} WHERE due = ${givenOut};`);
  const prepare = (sql: string) => database.prepare(sql);
  const columns = "id, messageId, body, sentAt, receiveCount";
  const insert = prepare(`INSERT INTO ${name} (${columns}, due) VALUES (?, ?, ?, ?, ?, ?)`);
  const remove = prepare(`DELETE FROM ${name} WHERE id = ?`);
  const putOff = prepare(`UPDATE ${name} SET due = ?, receiveCount = ? WHERE id = ?`);
  const readFresh = prepare(`SELECT ${columns} FROM ${name} WHERE id > ? AND due = ${fresh} ORDER BY id LIMIT ?`);
  const takeDue = prepare(`UPDATE ${name} SET due = ${givenOut}
    WHERE id IN (SELECT id FROM ${name} WHERE due > 0 AND due <= ? ORDER BY due LIMIT ?) RETURNING ${columns}`);
  const nextDue = prepare(`SELECT min(due) AS due FROM ${name} WHERE due > 0`);
  const find = prepare(`SELECT ${columns}, due AS dueAt FROM ${name} WHERE id = ? AND due > 0`);
  const count = prepare(`SELECT count(*) AS count FROM ${name}`);
  const countPutOff = prepare(`SELECT count(*) FILTER (WHERE receiveCount > 0) AS received,
    count(*) FILTER (WHERE receiveCount = 0) AS delayed FROM ${name} WHERE due > 0`);
  const first = prepare(`SELECT sentAt FROM ${name} ORDER BY id LIMIT 1`);
  const last = prepare(`SELECT max(id) AS id FROM ${name}`).get() as { id: number | null };
  const insertNow = ({ id, messageId, body, sentAt, receiveCount }: StoredMessage, due: number) =>
    insert.run(id, messageId, body, sentAt, receiveCount, due);
  return {
    lastId: last.id ?? 0,
    count: () => (count.get() as { count: number }).count,
    countPutOff: () => countPutOff.get() as { received: number; delayed: number },
    firstSentAt: () => (first.get() as { sentAt: number } | undefined)?.sentAt,
    insert: (message, dueAt = fresh, entry, done) =>
      stage.stage("insert", { run: () => insertNow(message, dueAt), entries: [entry], done }),
    moveIn: (message, from, fromId, entries, done) =>
      stage.stage("move", {
        release: () => from.removeNow(fromId),
        run: () => insertNow(message, fresh),
        entries,
        done,
      }),
    removeNow: (id) => remove.run(id),
    remove: (id, entry) => stage.stage("settle", { release: () => remove.run(id), entries: [entry] }),
    putOff: (id, dueAt, receiveCount) => stage.stage("postpone", { run: () => putOff.run(dueAt, receiveCount, id) }),
    readFresh: (afterId, limit) => readFresh.all(afterId, limit) as unknown as StoredMessage[],
    takeDue: (now, limit) => {
      // What is staged may put off once more, or end, what would be given out here.
      if (!stage.flush()) throw new StorageError("messages that were put off cannot be written");
      return takeDue.all(now, limit) as unknown as StoredMessage[];
    },
    nextDueAt: () => (nextDue.get() as { due: number | null }).due ?? undefined,
    findPutOff: (id) => {
      stage.flush();
      return find.get(id) as unknown as (StoredMessage & { dueAt: number }) | undefined;
    },
  };
}
