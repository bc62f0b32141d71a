import { expect, test } from "vitest";
import { VirtualClock } from "../testing.ts";
import type { ReceivedMessage } from "./in-flight-messages.ts";
import type { Queue } from "./queue.ts";
import { TestQueues } from "./queue-testing.ts";

const second = 1000;
const hour = 3600 * second;

/** One message that is received, and the clock of its queue. */
async function receiveOne(body = "a") {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock);
  const queue = queues.open();
  await queue.send(body);
  return { clock, queues, queue, message: only(queue) };
}

function only(queue: Queue): ReceivedMessage {
  const [message, another] = queue.receive(2);
  if (message === undefined || another !== undefined) throw new Error("not one message");
  return message;
}

function bodies(messages: readonly ReceivedMessage[]): readonly string[] {
  return messages.map(({ body }) => body);
}

test("a message that is made visible is received at once, counted", async () => {
  const { queue, message } = await receiveOne();
  expect(queue.changeVisibility(message.receiptHandle, 0)).toBe(true);
  expect(only(queue)).toMatchObject({ body: "a", messageId: message.messageId, receiveCount: 2 });
});

test.for([
  ["sooner than its visibility timeout", 5 * second],
  ["later", 10 * hour],
] as const)("a message becomes visible %s, whatever is said afterwards", async ([, ms]) => {
  const { clock, queue, message } = await receiveOne();
  expect(queue.changeVisibility(message.receiptHandle, ms)).toBe(true);
  queue.giveBack(message);
  expect(queue.attributes).toMatchObject({ visible: 0, inFlight: 1 });
  clock.advance(ms - 1);
  expect(queue.receive(1)).toEqual([]);
  clock.advance(1);
  expect(only(queue)).toMatchObject({ body: "a", receiveCount: 2 });
});

test("a changed visibility outlives a restart, and a crash once it is on disk", async () => {
  const { clock, queues, queue, message } = await receiveOne();
  queue.changeVisibility(message.receiptHandle, hour);
  queues.store.flush();
  const later = new TestQueues(clock, queues.crash()).open();
  clock.advance(hour - 1);
  expect(later.receive(1)).toEqual([]);
  expect(later.attributes).toMatchObject({ visible: 0, inFlight: 1 });
  clock.advance(1);
  expect(only(later)).toMatchObject({ receiveCount: 2, sentAt: message.sentAt });
});

test("a visibility may be changed again, by the same receipt handle", async () => {
  const { clock, queue, message } = await receiveOne();
  queue.changeVisibility(message.receiptHandle, 5 * second);
  expect(queue.changeVisibility(message.receiptHandle, hour)).toBe(true);
  clock.advance(10 * second);
  expect(queue.receive(1)).toEqual([]);
  expect(queue.changeVisibility(message.receiptHandle, 0)).toBe(true);
  clock.advance(1 * second);
  expect(only(queue)).toMatchObject({ receiveCount: 2 });
});

test("a message that waits is deleted by its receipt handle", async () => {
  const { clock, queue, message } = await receiveOne();
  queue.changeVisibility(message.receiptHandle, hour);
  queue.giveBack(message);
  expect(queue.deleteReceipt(message.receiptHandle, "delivered")).toBe(true);
  expect(queue.deleteReceipt(message.receiptHandle, "delivered")).toBe(false);
  clock.advance(2 * hour);
  expect(queue.receive(1)).toEqual([]);
  expect(queue).toMatchObject({ depth: 0, counts: { deleted: 1 }, attributes: { visible: 0, inFlight: 0 } });
});

test("a message that is deleted or put off in the moment before it is due does not come", async () => {
  const clock = new VirtualClock();
  const queue = new TestQueues(clock).open();
  for (const body of ["deleted", "put off"]) await queue.send(body);
  const messages = queue.receive(2);
  for (const { receiptHandle } of messages) queue.changeVisibility(receiptHandle, 5 * second);
  clock.advance(5 * second - 1);
  for (const { body, receiptHandle } of messages) {
    if (body === "deleted") queue.deleteReceipt(receiptHandle, "delivered");
    else queue.changeVisibility(receiptHandle, hour);
  }
  clock.advance(1);
  expect(queue.receive(2)).toEqual([]);
  clock.advance(hour);
  expect(bodies(queue.receive(2))).toEqual(["put off"]);
});

test("a receipt handle that ran out says nothing about the message", async () => {
  const { clock, queue, message } = await receiveOne();
  queue.changeVisibility(message.receiptHandle, 5 * second);
  clock.advance(5 * second);
  for (const again of [undefined, only(queue)]) {
    expect(queue.changeVisibility(message.receiptHandle, 0)).toBe(false);
    expect(queue.deleteReceipt(message.receiptHandle, "delivered")).toBe(false);
    if (again !== undefined) queue.changeVisibility(again.receiptHandle, hour);
  }
  expect(queue.changeVisibility(message.receiptHandle, 0)).toBe(false);
  expect(queue.depth).toBe(1);
});

test.for(["", "a", "00000000-0000-4000-8000-000000000000:1", "1:1:1:1:other"])(
  "%j is no receipt handle",
  async (handle) => {
    const { queue } = await receiveOne();
    expect(queue.changeVisibility(handle, 0)).toBe(false);
    expect(queue.deleteReceipt(handle, "delivered")).toBe(false);
  },
);

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
test.for([
  [0, 43_200 * second, true],
  [0, 43_201 * second, false],
  [10 * second, 43_190 * second, true], // since it was received
  [10 * second, 43_191 * second, false],
] as const)("%d ms after its receipt a message may be invisible for %d ms more: %s", async ([afterMs, ms, isTaken]) => {
  const { clock, queue, message } = await receiveOne();
  clock.advance(afterMs);
  const change = () => queue.changeVisibility(message.receiptHandle, ms);
  if (isTaken) expect(change()).toBe(true);
  else expect(change).toThrow("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]");
});

test("each receive may have a visibility timeout of its own", async () => {
  const clock = new VirtualClock();
  const queue = new TestQueues(clock).open();
  for (const body of ["long", "short", "none"]) await queue.send(body);
  queue.receive(1);
  queue.receive(1, 5 * second);
  queue.receive(1, 0);
  clock.advance(1);
  expect(bodies(queue.receive(2))).toEqual(["none"]);
  clock.advance(5 * second);
  expect(bodies(queue.receive(2))).toEqual(["short"]);
  clock.advance(26 * second);
  expect(bodies(queue.receive(3)).toSorted()).toEqual(["long", "none"]);
});

test("a message sent with a delay comes after it, over a restart too", async () => {
  const clock = new VirtualClock();
  const queues = new TestQueues(clock);
  const queue = queues.open();
  await queue.send("late", { delayMs: 60 * second });
  await queue.send("now");
  expect(bodies(queue.receive(2))).toEqual(["now"]);
  expect(queue.attributes).toMatchObject({ visible: 0, inFlight: 1, delayed: 1 });
  queues[Symbol.dispose]();
  const later = new TestQueues(clock, queues.folder).open();
  expect(later.attributes).toMatchObject({ visible: 1, inFlight: 0, delayed: 1 });
  clock.advance(60 * second - 1);
  expect(bodies(later.receive(2))).toEqual(["now"]);
  clock.advance(1);
  expect(only(later)).toMatchObject({ body: "late", receiveCount: 1 });
  expect(later.attributes).toMatchObject({ inFlight: 2, delayed: 0 });
});

test("a message has the id that it is sent with, or one of its own", async () => {
  const queue = new TestQueues().open();
  const messageId = "00000000-0000-4000-8000-000000000000";
  expect(await queue.send("a", { messageId })).toBe(messageId);
  const own = await queue.send("b");
  expect(queue.receive(2)).toMatchObject([
    { body: "a", messageId },
    { body: "b", messageId: own },
  ]);
});

test("who waits for a message is told of it, or that the time is over", async () => {
  const queue = new TestQueues().open();
  const message = queue.nextVisible(AbortSignal.timeout(60_000));
  const end = new AbortController();
  await queue.send("a");
  await message;
  const nothing = queue.nextVisible(end.signal);
  end.abort();
  await nothing;
  await queue.nextVisible(end.signal);
});

test("a message that is put off again and again for three days is there afterwards", async () => {
  const { clock, queue, message } = await receiveOne();
  const begin = clock.now();
  let latest = message;
  for (let attempt = 2; clock.now() - begin < 72 * hour; attempt++) {
    queue.changeVisibility(latest.receiptHandle, 12 * hour);
    clock.advance(12 * hour);
    latest = only(queue);
    expect(latest).toMatchObject({ body: "a", receiveCount: attempt, sentAt: begin });
  }
  expect(latest.receiveCount).toBe(7);
});

test("a hundred thousand messages that one attempt was enough for move to the retry queue, once each", async () => {
  const queues = new TestQueues();
  const retry = queues.open({ name: "retry" });
  const fresh = queues.open({ redrive: { to: retry, maxReceiveCount: 1 } });
  const sent = new Map<string, string>();
  for (let part = 0; part < 100; part++) {
    const parts = Array.from({ length: 1000 }, (_, index) => `m${part}-${index}`);
    await Promise.all(parts.map(async (body) => sent.set(await fresh.send(body), body)));
  }
  for (let messages = fresh.receive(10); fresh.depth > 0; messages = fresh.receive(10)) {
    // As the function does that finds the circuit open, and then the event source mapping.
    for (const { receiptHandle } of messages) fresh.changeVisibility(receiptHandle, 0);
    for (const message of messages) fresh.giveBack(message);
    if (messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(retry.attributes).toMatchObject({ visible: 100_000, inFlight: 0 });
  const moved = retry.receive(100_000);
  expect(new Map(moved.map(({ messageId, body }) => [messageId, body]))).toEqual(sent);
  expect(moved).toHaveLength(sent.size);
  expect(new Set(moved.map(({ receiveCount }) => receiveCount))).toEqual(new Set([1]));
});
