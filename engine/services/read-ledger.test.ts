import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { temporaryFolder, VirtualClock } from "../testing.ts";
import { checkLedger, type LedgerLine } from "./ledger.ts";
import type { Queue } from "./queue.ts";
import { storeFile } from "./queue-store.ts";
import { TestQueues } from "./queue-testing.ts";
import { readLedger } from "./read-ledger.ts";

const second = 1000;

/** What is not zero of the lines, and their difference if there is one. */
function summary(lines: readonly LedgerLine[]): object {
  return Object.fromEntries(
    lines.map((line, index) => {
      const { difference } = checkLedger(lines)[index] ?? { difference: 0 };
      const amounts = Object.entries({ ...line, difference }).filter(
        ([, value]) => typeof value === "number" && value !== 0,
      );
      return [line.account, Object.fromEntries(amounts)];
    }),
  );
}

/** A fresh queue, its retry queue and the dead-letter queue, as a route has them. */
function openRoute(queues: TestQueues) {
  const dead = queues.open({ name: "dead" });
  const retry = queues.open({ name: "retry", account: "route", redrive: { to: dead, maxReceiveCount: 2 } });
  const fresh = queues.open({ name: "fresh", account: "route", redrive: { to: retry, maxReceiveCount: 1 } });
  return { fresh, retry, dead };
}

function sendAll(queue: Queue, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, index) => queue.send(`m${index}`)));
}

function park(queue: Queue, count: number): void {
  for (const { receiptHandle } of queue.receive(count)) queue.changeVisibility(receiptHandle, 0);
}

/** What is staged comes to the disk, and what comes of that too. */
function read(queues: TestQueues): object {
  queues.store.flush();
  return summary(queues.store.readLedger());
}

test("a message is counted all the way", async () => {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock);
  const { fresh, retry, dead } = openRoute(queues);
  await sendAll(fresh, 10);
  expect(read(queues)).toEqual({ route: { received: 10, pending: 10 } });
  for (const message of fresh.receive(5)) fresh.delete(message, "delivered");
  expect(read(queues)).toEqual({ route: { received: 10, delivered: 5, pending: 5 } });
  park(fresh, 5);
  // The retry queue's are the route's still.
  expect(fresh.receive(5)).toEqual([]);
  expect(read(queues)).toEqual({ route: { received: 10, delivered: 5, pending: 5 } });
  expect(retry.depth).toBe(5);
  for (const message of retry.receive(2)) retry.delete(message, "dead");
  expect(read(queues)).toEqual({ route: { received: 10, delivered: 5, dead: 2, pending: 3 } });
  for (let attempt = 0; attempt < 2; attempt++) park(retry, 3);
  expect(retry.receive(5)).toEqual([]);
  expect(read(queues)).toEqual({ route: { received: 10, delivered: 5, dead: 5 } });
  expect(dead.depth).toBe(3);
  // A function made records of them.
  for (const message of dead.receive(3)) dead.delete(message, "delivered");
  await retry.send("again", { origin: "api" });
  expect(read(queues)).toEqual({ route: { received: 11, replayed: 1, delivered: 5, dead: 5, pending: 1 } });
  expect({ fresh: fresh.counts, retry: retry.counts }).toMatchObject({
    fresh: { deleted: 5, dead: 0, redriven: 5 },
    retry: { deleted: 0, dead: 5, redriven: 3 },
  });
});

test("a message that is older than its queue keeps is counted as expired", async () => {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock);
  const queue = queues.open({ account: "route", retentionMs: 60 * second });
  await sendAll(queue, 2);
  clock.advance(60 * second);
  expect(queue.receive(10)).toEqual([]);
  expect(read(queues)).toEqual({ route: { received: 2, expired: 2 } });
});

test("a rule's report in the dead-letter queue is received and dead", async () => {
  const queues = new TestQueues();
  const { dead } = openRoute(queues);
  await dead.send("a report", { deadOf: "route" });
  expect(read(queues)).toEqual({ route: { received: 1, dead: 1 } });
});

test("a message that is refused is not counted", async () => {
  const queues = new TestQueues();
  const { fresh } = openRoute(queues);
  await expect(fresh.send("x".repeat(2000))).rejects.toThrow("InvalidParameterValue");
  expect(read(queues)).toEqual({ route: {} });
});

test("the ledger adds up after a crash, whatever was not written yet", async () => {
  const queues = new TestQueues();
  const { fresh, retry } = openRoute(queues);
  await sendAll(fresh, 100);
  for (const message of fresh.receive(40)) fresh.delete(message, "delivered");
  park(fresh, 60);
  fresh.receive(10);
  // Deletions and moves are staged, and their lines with them.
  expect(summary(readLedger(queues.crash()))).toEqual({ route: { received: 100, pending: 100 } });
  queues.store.flush();
  for (const message of retry.receive(10)) retry.delete(message, "dead");
  const folder = queues.crash();
  expect(summary(readLedger(folder))).toEqual({ route: { received: 100, delivered: 40, pending: 60 } });

  const later = new TestQueues({}, folder);
  const route = openRoute(later);
  for (const message of route.retry.receive(100)) route.retry.delete(message, "delivered");
  expect(read(later)).toEqual({ route: { received: 100, delivered: 100 } });
});

test("a row that is deleted by hand is missing", async () => {
  const queues = new TestQueues();
  const { fresh } = openRoute(queues);
  await sendAll(fresh, 3);
  queues[Symbol.dispose]();
  expect(summary(readLedger(queues.folder))).toEqual({ route: { received: 3, pending: 3 } });
  const database = new DatabaseSync(join(queues.folder, storeFile));
  database.exec(`DELETE FROM "queue fresh" WHERE body = 'm1'`);
  database.close();
  const missing = { route: { received: 3, pending: 2, difference: 1 } };
  expect(summary(readLedger(queues.folder))).toEqual(missing);
  // A new start does not make it good.
  const later = new TestQueues({}, queues.folder);
  openRoute(later);
  expect(read(later)).toEqual(missing);
});

test("a queue stays in its account when its rule is gone, and goes over to a new one with what is in it", async () => {
  const first = new TestQueues();
  const queue = first.open({ account: "one" });
  await sendAll(queue, 5);
  for (const message of queue.receive(2)) queue.delete(message, "delivered");
  first[Symbol.dispose]();

  const second = new TestQueues({}, first.folder);
  const same = second.open();
  expect(same.account).toBe("one");
  for (const message of same.receive(1)) same.delete(message, "delivered");
  expect(read(second)).toEqual({ one: { received: 5, delivered: 3, pending: 2 } });
  second[Symbol.dispose]();

  const third = new TestQueues({}, first.folder);
  third.open({ account: "two" });
  expect(read(third)).toEqual({ one: { received: 3, delivered: 3 }, two: { received: 2, pending: 2 } });
});

test("the messages of a folder from before the ledger are taken over", async () => {
  const queues = new TestQueues();
  const queue = queues.open();
  await sendAll(queue, 3);
  queues[Symbol.dispose]();
  const database = new DatabaseSync(join(queues.folder, storeFile));
  database.exec("DROP TABLE ledger; DROP TABLE accounts; DROP TABLE receipts");
  database.close();
  expect(readLedger(queues.folder)).toEqual([]);
  const later = new TestQueues({}, queues.folder);
  later.open({ account: "route" });
  expect(read(later)).toEqual({ route: { received: 3, pending: 3 } });
});

test("the ledger of a running engine is not read, and that of none is empty", () => {
  const queues = new TestQueues();
  expect(() => readLedger(queues.folder)).toThrow(expect.objectContaining({ code: "ERR_DATA_IN_USE" }));
  expect(readLedger(temporaryFolder())).toEqual([]);
});
