import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { functionOf, VirtualClock } from "../testing.ts";
import { type DurableEventOptions, DurableEvents } from "./durable-events.ts";
import { checkLedger } from "./ledger.ts";
import { ledgerAnswer } from "./ledger-answer.ts";
import { TestQueues } from "./queue-testing.ts";

const minute = 60_000;
/** Does as an event says, and prints first which event it is and by which request it came. */
const code = `export const handler = async (event, { awsRequestId }) => {
  console.log(event.id + " " + awsRequestId);
  if (event.hangs) await new Promise(() => {});
  if (event.isBad) throw new TypeError("no");
  return event.answer;
};`;

interface Setting extends Partial<Pick<DurableEventOptions, "maximumAgeMs" | "retryAttempts">> {
  readonly clock?: VirtualClock;
  /** The data of an engine before. */
  readonly folder?: string;
  /** The store's, in bytes. */
  readonly maximumBytes?: number;
  /** Whether the events are messages of the account `frames`. */
  readonly isAccount?: boolean;
}

/** A function's events, and the queue of those that failed. */
function start({ clock = new VirtualClock(), folder, maximumBytes, isAccount = true, ...rest }: Setting = {}) {
  const queues = new TestQueues(clock, folder, maximumBytes);
  const unlimited = Number.POSITIVE_INFINITY;
  const limits = { visibilityTimeoutMs: unlimited, retentionMs: unlimited, maximumMessageBytes: unlimited };
  const queue = queues.open({ name: "events of forward", account: isAccount ? "frames" : undefined, ...limits });
  const failed = queues.open({ name: "failed" });
  const forward = functionOf(code);
  const events = new DurableEvents(queue, forward, {
    maximumAgeMs: 360 * minute,
    retryAttempts: 2,
    concurrency: 1,
    onFailure: failed,
    tell: ledgerAnswer(new Set(["frames", "location"]), (entry) => queues.store.count(entry)),
    clock,
    ...rest,
  });
  onTestFinished(() => events[Symbol.asyncDispose]());
  const { lines } = forward.output;
  return Object.assign(events, {
    clock,
    queue,
    failed,
    queues,
    accepts: (event: object, requestId?: string) => events.accept(JSON.stringify(event), { requestId }),
    /** Resolves when so many invocations have begun, to what each printed. */
    begun: async (count: number) => {
      const printed = () => lines.filter((line) => /^\w /.test(line));
      await forward.output.until(() => printed().length >= count);
      return printed();
    },
    /** Resolves when so many attempts have failed. */
    fails: (count: number) => vi.waitFor(() => expect(events.counts.failed).toBe(count)),
    records: () => failed.receive(10).map(({ body }) => JSON.parse(body)),
    /** What is not zero, by account. */
    ledger: () => {
      queues.store.flush();
      const all = queues.store.readLedger();
      expect(checkLedger(all).filter(({ difference }) => difference !== 0)).toEqual([]);
      const amounts = all.map(({ account, ...line }) => [
        account,
        Object.fromEntries(Object.entries(line).filter(([, amount]) => amount !== 0)),
      ]);
      return Object.fromEntries(amounts);
    },
  });
}

test("an event that was accepted is invoked after a crash, by the same request", async () => {
  const before = start();
  await before.accepts({ id: "a", hangs: true }, "request-1");
  await before.begun(1);
  await before.accepts({ id: "b" }, "request-2");
  const after = start({ folder: before.queues.crash() });
  // The first one hangs again, and holds up the other.
  expect(await after.begun(1)).toEqual(["a request-1"]);
  expect(after.ledger()).toEqual({ frames: { received: 2, pending: 2 } });
});

test("an event that succeeded is gone", async () => {
  const before = start();
  await before.accepts({ id: "a" });
  await before.begun(1);
  await before.stop();
  expect(before.ledger()).toEqual({ frames: { received: 1, delivered: 1 } });
  const after = start({ folder: before.queues.crash() });
  await after.accepts({ id: "b" }, "request-b");
  expect(await after.begun(1)).toEqual(["b request-b"]);
});

test("an invocation that the end cuts short is no attempt", async () => {
  const before = start({ retryAttempts: 0 });
  await before.accepts({ id: "a", hangs: true }, "request-1");
  await before.begun(1);
  await before[Symbol.asyncDispose]();
  expect(before.ledger()).toEqual({ frames: { received: 1, pending: 1 } });
  const after = start({ folder: before.queues.crash() });
  expect(await after.begun(1)).toEqual(["a request-1"]);
});

test("stop begins nothing more, and what waits stays", async () => {
  const events = start();
  await events.started();
  await events.accepts({ id: "a" });
  await events.begun(1);
  await events.stop();
  await events.accepts({ id: "b" });
  expect(events.ledger()).toEqual({ frames: { received: 2, delivered: 1, pending: 1 } });
});

test("a failed event is retried after one minute and after two more, over restarts, and then a record", async () => {
  const clock = new VirtualClock();
  const event = { id: "a", isBad: true, v: "é" };
  const first = start({ clock });
  await first.accepts(event, "request-1");
  await first.fails(1);
  expect(first.ledger()).toEqual({ frames: { received: 1, pending: 1 } });

  const second = start({ clock, folder: first.queues.crash() });
  await second.started();
  clock.advance(minute - 1);
  await setImmediate();
  expect(second.queue.attributes).toMatchObject({ visible: 0, inFlight: 1 });
  clock.advance(1);
  expect(await second.begun(1)).toEqual(["a request-1"]);
  await second.fails(1);
  expect(second.ledger()).toEqual({ frames: { received: 1, pending: 1 } });

  const third = start({ clock, folder: second.queues.crash() });
  await third.started();
  clock.advance(2 * minute - 1);
  await setImmediate();
  expect(third.queue.attributes).toMatchObject({ visible: 0, inFlight: 1 });
  clock.advance(1);
  expect(await third.begun(1)).toEqual(["a request-1"]);
  await vi.waitFor(() => expect(third.queue.depth).toBe(0));
  expect(third.ledger()).toEqual({ frames: { received: 1, dead: 1 } });
  expect(third.records()).toEqual([
    {
      version: "1.0",
      timestamp: new Date(clock.now()).toISOString(),
      requestContext: {
        requestId: "request-1",
        functionArn: "arn:aws:lambda:us-east-1:000000000000:function:forward:$LATEST",
        condition: "RetriesExhausted",
        approximateInvokeCount: 3,
      },
      requestPayload: event,
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: { errorMessage: "no", errorType: "TypeError" },
    },
  ]);
});

test("a failed event with no retry attempts is a record at once, with the event's own text", async () => {
  const events = start({ retryAttempts: 0 });
  await events.accept('{ "id": "a", "isBad": true, "v": 12345678901234567890 }');
  await vi.waitFor(() => expect(events.queue.counts.dead).toBe(1));
  const [message] = events.failed.receive(1);
  expect(message?.body).toContain('"requestPayload":{ "id": "a", "isBad": true, "v": 12345678901234567890 },');
});

test("an event that waited longer than its age is a record without a response", async () => {
  const clock = new VirtualClock();
  const before = start({ clock, maximumAgeMs: minute });
  await before.accepts({ id: "a", isBad: true }, "request-1");
  await before.fails(1);
  await before.stop();
  for (let count = 0; count < 150; count++) await before.accepts({ id: "b" });
  const folder = before.queues.crash();
  clock.advance(minute + 1);
  const after = start({ clock, folder, maximumAgeMs: minute });
  clock.advance(1);
  await vi.waitFor(() => expect(after.queue.depth).toBe(0));
  expect(after.ledger()).toEqual({ frames: { received: 151, dead: 151 } });
  expect(await after.begun(0)).toEqual([]);
  const counts = Array.from({ length: 16 }, () => after.records())
    .flat()
    .map(({ requestContext, ...record }) => {
      expect(Object.keys(record)).toEqual(["version", "timestamp", "requestPayload"]);
      expect(requestContext.condition).toBe("EventAgeExceeded");
      return requestContext.approximateInvokeCount;
    });
  expect(counts.toSorted()).toEqual([...Array(150).fill(0), 1]);
});

test("an event whose record cannot be written is tried once more when there is room", async () => {
  const events = start({ retryAttempts: 1, maximumBytes: 256 * 1024 });
  await events.accepts({ id: "a", isBad: true, text: "x".repeat(2000) });
  await events.fails(1);
  for (let isFull = false; !isFull; ) await events.failed.send("x".repeat(1000)).catch(() => (isFull = true));
  events.clock.advance(minute);
  await events.fails(2);
  expect(events.ledger()).toEqual({ frames: { received: 1, pending: 1 } });
  events.queues.store.maximumBytes = Number.POSITIVE_INFINITY;
  events.clock.advance(10_000);
  await events.fails(3);
  await vi.waitFor(() => expect(events.queue.depth).toBe(0));
  expect(events.ledger()).toEqual({ frames: { received: 1, dead: 1 } });
});

test("an event that cannot be written is not accepted", async () => {
  const events = start({ maximumBytes: 256 * 1024 });
  await expect(events.accepts({ id: "a", payload: "x".repeat(300_000) })).rejects.toThrow("cannot be written");
  expect(events.ledger()).toEqual({ frames: {} });
});

test("a message is dead by a report that is an event", async () => {
  const events = start({ isAccount: false });
  await events.accept('{"id":"a"}', { deadOf: "location" });
  await events.begun(1);
  await events.stop();
  expect(events.ledger()).toEqual({ location: { received: 1, dead: 1 } });
});

test("the ledger counts what the function says of the messages in an event", async () => {
  const events = start();
  await events.accepts({ id: "a", answer: { ledger: { location: { delivered: 97, dead: 2, dropped: 1 } } } });
  await events.begun(1);
  await events.stop();
  expect(events.ledger()).toEqual({
    frames: { received: 1, delivered: 1 },
    location: { received: 100, delivered: 97, dead: 2, dropped: 1 },
  });
});
