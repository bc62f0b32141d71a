import { expect, test } from "vitest";
import { VirtualClock } from "../testing.ts";
import { checkLedger } from "./ledger.ts";
import type { Queue } from "./queue.ts";
import { TestQueues } from "./queue-testing.ts";

const second = 1000;

/** Sends until the store refuses; resolves to the bodies that it took. */
async function fill(queue: Queue, bytes: number): Promise<readonly string[]> {
  const taken: string[] = [];
  for (let isFull = false; !isFull; ) {
    const body = String(taken.length).padEnd(bytes, "x");
    await queue.send(body).then(
      () => taken.push(body),
      () => (isFull = true),
    );
  }
  return taken;
}

function accountOf(queues: TestQueues): object {
  queues.store.flush();
  const lines = queues.store.readLedger();
  expect(checkLedger(lines)).toEqual([{ account: "route", difference: 0 }]);
  return lines[0] ?? {};
}

test("messages that cannot be put off wait, and come when there is room", async () => {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock, undefined, 512 * 1024);
  const queue = queues.open({ account: "route" });
  const taken = await fill(queue, 10);
  for (const { receiptHandle } of queue.receive(taken.length)) queue.changeVisibility(receiptHandle, 5 * second);
  // The index of the times that they are due at does not fit.
  expect(queues.store.flush()).toBe(false);
  clock.advance(6 * second);
  expect(queue.receive(1)).toEqual([]);
  expect(accountOf(queues)).toMatchObject({ received: taken.length, pending: taken.length });

  queues.store.maximumBytes = Number.POSITIVE_INFINITY;
  clock.advance(second);
  const messages = queue.receive(taken.length + 1);
  expect(messages.map(({ body }) => body).toSorted()).toEqual(taken.toSorted());
  expect(new Set(messages.map(({ receiveCount }) => receiveCount))).toEqual(new Set([2]));
});

test("a deletion makes room for what waits to be put off", async () => {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock, undefined, 512 * 1024);
  const queue = queues.open({ account: "route" });
  const taken = await fill(queue, 10);
  const messages = queue.receive(taken.length);
  const [deleted, kept] = [messages.slice(0, 3000), messages.slice(3000)];
  for (const { receiptHandle } of kept) queue.changeVisibility(receiptHandle, 5 * second);
  expect(queues.store.flush()).toBe(false);
  for (const message of deleted) queue.delete(message);
  queues.store.flush();
  expect(accountOf(queues)).toMatchObject({ delivered: deleted.length, pending: kept.length });
  clock.advance(5 * second);
  expect(queue.receive(taken.length)).toHaveLength(kept.length);
});

test("a message that cannot move is received once more, and moves when there is room", async () => {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock, undefined, 512 * 1024);
  const retry = queues.open({ name: "retry", account: "route" });
  const fresh = queues.open({ account: "route", redrive: { to: retry, maxReceiveCount: 1 } });
  const taken = await fill(fresh, 1000);
  const messages = fresh.receive(taken.length, 3600 * second);
  // So that none of them makes a page free when it goes: sixteen are in one.
  const parked = messages.filter((_, index) => index % 16 === 8);
  expect(parked.length).toBeGreaterThan(16);
  for (const { receiptHandle } of parked) fresh.changeVisibility(receiptHandle, 0);
  expect(fresh.receive(100)).toEqual([]);
  expect(accountOf(queues)).toMatchObject({ received: taken.length, pending: taken.length });
  expect({ fresh: fresh.depth, retry: retry.depth }).toEqual({ fresh: taken.length, retry: 0 });

  clock.advance(9 * second);
  expect(fresh.receive(100)).toEqual([]);
  clock.advance(second);
  const again = fresh.receive(100);
  expect(new Set(again.map(({ messageId }) => messageId))).toEqual(new Set(parked.map(({ messageId }) => messageId)));
  queues.store.maximumBytes = Number.POSITIVE_INFINITY;
  for (const { receiptHandle } of again) fresh.changeVisibility(receiptHandle, 0);
  expect(fresh.receive(taken.length)).toEqual([]);
  queues.store.flush();
  expect(retry.receive(100)).toHaveLength(parked.length);
  expect(accountOf(queues)).toMatchObject({ received: taken.length, pending: taken.length });
});

test("a full store moves messages into the room that they had", async () => {
  const queues = new TestQueues({}, undefined, 512 * 1024);
  const retry = queues.open({ name: "retry", account: "route" });
  const fresh = queues.open({ account: "route", redrive: { to: retry, maxReceiveCount: 1 } });
  const taken = await fill(fresh, 1000);
  for (const { receiptHandle } of fresh.receive(taken.length)) fresh.changeVisibility(receiptHandle, 0);
  fresh.receive(taken.length);
  queues.store.flush();
  expect({ fresh: fresh.depth, retry: retry.depth }).toEqual({ fresh: 0, retry: taken.length });
});
