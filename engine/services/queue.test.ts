import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "../testing.ts";
import type { ReceivedMessage } from "./in-flight-messages.ts";
import { Queue, type QueueConditions, type QueueOptions } from "./queue.ts";
import { QueueStore } from "./queue-store.ts";

const second = 1000;
const day = 86_400 * second;

function open(
  folder: string,
  rest: Partial<QueueOptions> = {},
  conditions?: QueueConditions,
  maximumBytes?: number,
): { store: QueueStore; queue: Queue; close(): void } {
  const store = new QueueStore(folder, maximumBytes);
  const queue = new Queue({ ...attributes, ...rest }, store, conditions);
  return {
    store,
    queue,
    close: () => {
      queue[Symbol.dispose]();
      store[Symbol.dispose]();
    },
  };
}

const attributes: QueueOptions = {
  name: "orders",
  arn: "arn:aws:sqs:us-east-1:000000000000:orders",
  visibilityTimeoutMs: 30 * second,
  retentionMs: 4 * day,
  maximumMessageBytes: 1024,
  redrive: undefined,
};

function openOnce(rest?: Partial<QueueOptions>, conditions?: QueueConditions, maximumBytes?: number) {
  const opened = open(temporaryFolder(), rest, conditions, maximumBytes);
  onTestFinished(opened.close);
  return opened;
}

function bodies(messages: readonly ReceivedMessage[]): readonly string[] {
  return messages.map(({ body }) => body);
}

describe("time", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("a received message is invisible until its visibility timeout ends", async () => {
    const { queue } = openOnce();
    await queue.send("a");
    const [first] = queue.receive(10);
    vi.advanceTimersByTime(30 * second - 1);
    expect(queue.receive(10)).toEqual([]);
    vi.advanceTimersByTime(1);
    const [again] = queue.receive(10);
    expect(again).toMatchObject({ body: "a", messageId: first?.messageId, sentAt: first?.sentAt, receiveCount: 2 });
    expect(again?.receiptHandle).not.toBe(first?.receiptHandle);
  });

  test("each message has a visibility timeout of its own", async () => {
    const { queue } = openOnce();
    await Promise.all(["a", "b"].map((body) => queue.send(body)));
    const [first] = bodies(queue.receive(1));
    vi.advanceTimersByTime(10 * second);
    const [other] = bodies(queue.receive(1));
    vi.advanceTimersByTime(20 * second);
    expect(bodies(queue.receive(10))).toEqual([first]);
    vi.advanceTimersByTime(10 * second);
    expect(bodies(queue.receive(10))).toEqual([other]);
  });

  test("a message that becomes visible again is announced", async () => {
    const { queue } = openOnce();
    await queue.send("a");
    queue.receive(1);
    const onVisible = vi.fn();
    queue.whenVisible(onVisible);
    await Promise.resolve();
    onVisible.mockClear();
    await vi.advanceTimersByTimeAsync(30 * second);
    expect(onVisible).toHaveBeenCalledOnce();
  });

  test("a late deletion by a receipt that ran out does nothing", async () => {
    const { queue } = openOnce();
    await queue.send("a");
    const [first] = queue.receive(1);
    vi.advanceTimersByTime(30 * second);
    if (first !== undefined) queue.delete(first);
    expect(queue.depth).toBe(1);
    expect(bodies(queue.receive(1))).toEqual(["a"]);
  });

  test("a message given back comes again at the end of its timeout, counted", async () => {
    const { queue } = openOnce();
    await queue.send("a");
    for (const message of queue.receive(1)) queue.giveBack(message);
    vi.advanceTimersByTime(30 * second - 1);
    expect(queue.receive(1)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(queue.receive(1)).toMatchObject([{ body: "a", receiveCount: 2 }]);
  });

  test("a message given back keeps its count and its time over a restart", async () => {
    const folder = temporaryFolder();
    const before = open(folder);
    await before.queue.send("a");
    for (const message of before.queue.receive(1)) before.queue.giveBack(message);
    before.close();
    vi.advanceTimersByTime(10 * second);
    const { queue, close } = open(folder);
    onTestFinished(close);
    expect(queue.depth).toBe(1);
    vi.advanceTimersByTime(20 * second - 1);
    expect(queue.receive(1)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(queue.receive(1)).toMatchObject([{ body: "a", receiveCount: 2 }]);
  });

  test("a restart makes a message visible that was in flight for a second time", async () => {
    const folder = temporaryFolder();
    const before = open(folder);
    await before.queue.send("a");
    for (const message of before.queue.receive(1)) before.queue.giveBack(message);
    vi.advanceTimersByTime(30 * second);
    expect(before.queue.receive(1)).toHaveLength(1);
    before.close();
    const { queue, close } = open(folder);
    onTestFinished(close);
    expect(queue.receive(1)).toMatchObject([{ body: "a", receiveCount: 2 }]);
  });

  test("no more messages than the limit are in flight, those given back among them", async () => {
    const { queue } = openOnce({}, { now: Date.now, inFlightLimit: 3 });
    await Promise.all(["a", "b", "c", "d"].map((body) => queue.send(body)));
    const received = queue.receive(10);
    expect(received).toHaveLength(3);
    for (const message of received) queue.giveBack(message);
    expect(queue.receive(10)).toEqual([]);
    vi.advanceTimersByTime(30 * second);
    expect(queue.receive(10)).toHaveLength(3);
  });

  test("thousands of messages given back come again once each", async () => {
    const { queue } = openOnce();
    const sent = Array.from({ length: 12_000 }, (_, index) => `m${index}`);
    await Promise.all(sent.map((body) => queue.send(body)));
    for (const message of queue.receive(sent.length)) queue.giveBack(message);
    vi.advanceTimersByTime(31 * second);
    expect(bodies(queue.receive(20_000)).toSorted()).toEqual(sent.toSorted());
    expect(queue.receive(1)).toEqual([]);
  });

  test("a message older than the retention is not received and is gone", async () => {
    const { queue } = openOnce();
    await queue.send("old");
    vi.advanceTimersByTime(4 * day - 1);
    await queue.send("new");
    vi.advanceTimersByTime(1);
    expect(bodies(queue.receive(10))).toEqual(["new"]);
    expect(queue).toMatchObject({ depth: 1, counts: { expired: 1 } });
  });

  test("a message received too often moves to the dead-letter queue with its id and time", async () => {
    const folder = temporaryFolder();
    const store = new QueueStore(folder);
    const dead = new Queue({ ...attributes, name: "dead" }, store);
    const queue = new Queue({ ...attributes, redrive: { to: dead, maxReceiveCount: 2 } }, store);
    await queue.send("a");
    const [first] = queue.receive(1);
    vi.advanceTimersByTime(30 * second);
    expect(queue.receive(1)).toMatchObject([{ receiveCount: 2 }]);
    vi.advanceTimersByTime(30 * second);
    const moved = announced(dead);
    expect(queue.receive(1)).toEqual([]);
    await moved;
    expect(dead.receive(10)).toMatchObject([
      { body: "a", messageId: first?.messageId, sentAt: first?.sentAt, receiveCount: 1 },
    ]);
    expect(queue).toMatchObject({ depth: 0, counts: { redriven: 1 } });
    store[Symbol.dispose]();

    const later = new QueueStore(folder);
    onTestFinished(() => later[Symbol.dispose]());
    expect(new Queue(attributes, later).depth).toBe(0);
    expect(new Queue({ ...attributes, name: "dead" }, later).depth).toBe(1);
  });

  test("a full disk refuses messages, keeps those it has and lets them be settled", async () => {
    const { queue } = openOnce({ maximumMessageBytes: 1024 * 1024 }, undefined, 160 * 1024);
    const refused: unknown[] = [];
    let kept = 0;
    while (refused.length === 0) {
      await queue.send(`${"x".repeat(1000)}${kept}`).then(
        () => (kept += 1),
        (error) => refused.push(error),
      );
    }
    expect(refused).toMatchObject([{ name: "StorageError", message: "cannot be written: database or disk is full" }]);
    expect(queue.depth).toBe(kept);
    const messages = queue.receive(100);
    expect(messages).toHaveLength(kept);
    for (const message of messages) queue.delete(message);
    // Staged together with the deletions, which it must not take with it: it is they that make room.
    await expect(queue.send("x".repeat(300_000))).rejects.toThrow("full");
    await queue.send("y".repeat(1000));
    expect(bodies(queue.receive(100))).toEqual(["y".repeat(1000)]);
    expect(queue.depth).toBe(1);
  });
});

test("a message is received once while it is in flight", async () => {
  const { queue } = openOnce();
  await Promise.all(["a", "b", "c"].map((body) => queue.send(body)));
  expect(bodies(queue.receive(2))).toHaveLength(2);
  expect(bodies(queue.receive(2))).toHaveLength(1);
  expect(queue.receive(2)).toEqual([]);
  expect(queue).toMatchObject({ depth: 3, counts: { sent: 3 } });
});

test("a deleted message never comes again, not after a restart either", async () => {
  const folder = temporaryFolder();
  const before = open(folder);
  await Promise.all(["a", "b"].map((body) => before.queue.send(body)));
  for (const message of before.queue.receive(1)) before.queue.delete(message);
  before.close();
  const { queue, close } = open(folder);
  onTestFinished(close);
  expect(queue.depth).toBe(1);
  expect(bodies(queue.receive(10))).toEqual(["b"]);
});

test.for([
  ["another account", undefined, { received: 1, dead: 1, pending: 0 }, { dead: 1 }],
  ["its own account", "route", { received: 1, dead: 0, pending: 1 }, { dead: 0 }],
] as const)("a message makes way for another one in a queue of %s", async ([, account, line, counts]) => {
  const { queue, store } = openOnce({ account: "route" });
  const other = new Queue({ ...attributes, name: "other", account }, store);
  onTestFinished(() => other[Symbol.dispose]());
  await queue.send("a");
  for (const message of queue.receive(1)) {
    queue.replace(message, other, "of a");
    // It is in flight no more.
    queue.replace(message, other, "of a");
  }
  store.flush();
  expect(queue).toMatchObject({ depth: 0, counts });
  expect(store.readLedger()).toMatchObject([{ account: "route", ...line }]);
  expect(bodies(other.receive(10))).toEqual(["of a"]);
});

test("a restart makes messages in flight visible", async () => {
  const folder = temporaryFolder();
  const before = open(folder);
  await before.queue.send("a");
  before.queue.receive(1);
  before.close();
  const { queue, close } = open(folder);
  onTestFinished(close);
  expect(bodies(queue.receive(1))).toEqual(["a"]);
});

test("many messages that arrive together are announced once", async () => {
  const { queue } = openOnce();
  const onVisible = vi.fn();
  queue.whenVisible(onVisible);
  await Promise.resolve();
  onVisible.mockClear();
  await Promise.all(Array.from({ length: 50 }, (_, index) => queue.send(`m${index}`)));
  expect(onVisible).toHaveBeenCalledOnce();
});

test.for([
  ["a", 1024, true],
  ["a", 1025, false],
  ["é", 512, true], // bytes of UTF-8 count, not characters
  ["é", 513, false],
] as const)("a message of %j %i times is taken: %s", async ([text, times, isTaken]) => {
  const { queue } = openOnce();
  const outcome = await queue.send(text.repeat(times)).then(
    () => "taken",
    (error) => String(error),
  );
  const bytes = Buffer.byteLength(text) * times;
  const refusal = `Error: InvalidParameterValue: orders takes messages of 1024 bytes, not ${bytes}`;
  expect(outcome).toBe(isTaken ? "taken" : refusal);
});

test("a body comes back as it was", async () => {
  const { queue } = openOnce();
  const body = 'é\u{1f600}\t"\\\r\n\u0085';
  await queue.send(body);
  expect(bodies(queue.receive(1))).toEqual([body]);
});

describe("a backlog beyond the memory", () => {
  const sent = Array.from({ length: 12_345 }, (_, index) => `m${index}`);

  test("comes complete and once each, while it is sent and received", async () => {
    const { queue } = openOnce();
    const received: string[] = [];
    const take = (maximum: number) => {
      const messages = queue.receive(maximum);
      received.push(...bodies(messages));
      for (const message of messages) queue.delete(message);
      return messages.length;
    };
    for (let start = 0; start < sent.length; start += 1000) {
      await Promise.all(sent.slice(start, start + 1000).map((body) => queue.send(body)));
      take(300);
    }
    while (take(10) > 0);
    expect(received.toSorted()).toEqual(sent.toSorted());
    expect(queue.depth).toBe(0);
  });

  test("comes complete and once each over a restart", async () => {
    const folder = temporaryFolder();
    const before = open(folder);
    await Promise.all(sent.map((body) => before.queue.send(body)));
    const early = before.queue.receive(7000);
    for (const message of early) before.queue.delete(message);
    before.close();
    const { queue, close } = open(folder);
    onTestFinished(close);
    expect(queue.depth).toBe(sent.length - early.length);
    await queue.send("late");
    const late = queue.receive(sent.length);
    expect([...bodies(early), ...bodies(late)].toSorted()).toEqual([...sent, "late"].toSorted());
  });
});

test.for([1, 2, 3])("disorder %i: in another order, some twice, none lost", async (seed) => {
  const sent = Array.from({ length: 6000 }, (_, index) => `m${index}`);
  const { queue } = openOnce({}, { now: Date.now, disorder: { random: generator(seed), duplicateEvery: 50 } });
  await Promise.all(sent.map((body) => queue.send(body)));
  const received: ReceivedMessage[] = [];
  for (let messages = queue.receive(10); messages.length > 0; messages = queue.receive(10)) {
    received.push(...messages);
    for (const message of messages) queue.delete(message);
  }
  const order = [...new Set(bodies(received))];
  expect(order.toSorted()).toEqual(sent.toSorted());
  expect(order).not.toEqual(sent);
  expect(received.length - sent.length).toBeGreaterThan(60);
  expect(received.length - sent.length).toBeLessThan(240);
  expect(queue.depth).toBe(0);
});

test("what was sent outlives kill -9", { timeout: 10_000 }, async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, ["--input-type=module", "--eval", sender(folder)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const resolved: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    if (resolved.push(line) === 2000) child.kill("SIGKILL");
  });
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGKILL");

  const { queue, close } = open(folder);
  onTestFinished(close);
  const kept = bodies(queue.receive(100_000));
  expect(resolved.length).toBeGreaterThanOrEqual(2000);
  expect(resolved.filter((body) => !kept.includes(body))).toEqual([]);
  expect(new Set(kept).size).toBe(kept.length);
});

test("a second engine on the same folder is refused until the first one ends", async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, ["--input-type=module", "--eval", sender(folder)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(() => new QueueStore(folder)).toThrow(
    expect.objectContaining({ code: "ERR_DATA_IN_USE", message: expect.stringContaining(folder) }),
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  new QueueStore(folder)[Symbol.dispose]();
});

/** Resolves when a queue has messages. */
function announced(queue: Queue): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.whenVisible(() => {
    if (queue.depth > 0) resolve();
  });
  return promise;
}

/** A program that sends without end and prints each body once `send` has resolved. */
function sender(folder: string): string {
  const urlOf = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  return `
    import { writeSync } from "node:fs";
    import { Queue } from ${urlOf("queue.ts")};
    import { QueueStore } from ${urlOf("queue-store.ts")};
    const queue = new Queue(${JSON.stringify(attributes)}, new QueueStore(${JSON.stringify(folder)}));
    const send = async (body) => { await queue.send(body); writeSync(1, body + "\\n"); };
    for (let round = 0; ; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => send("m" + round + "-" + index)));
    }`;
}

/** Numbers from 0 up to 1 that a seed repeats (a linear congruential generator; Numerical Recipes, 3rd ed., §7.1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
