import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Backlog, type BacklogOptions, type Delivery, type OutgoingMessage } from "./backlog.ts";
import type { DeviceError } from "./device-error.ts";
import { OrderedStore } from "./store.ts";
import { memoryStore } from "./testing.ts";

test("sends in order, and forgets what is acknowledged", async () => {
  const line = new Line();
  const store = memoryStore();
  const backlog = line.open({ store });
  const acknowledged = ["a", "b", "c"].map((text) => backlog.push(message(text)));
  await Promise.all(acknowledged);
  await nextTurn();
  expect(line.sent).toEqual(["a", "b", "c"]);
  expect(backlog.size).toBe(0);
  expect(store.values.size).toBe(0);
});

test("what fails goes out again before everything that is newer", async () => {
  const line = new Line();
  line.answer = (text) => (text === "b" && line.sent.length < 3 ? "again" : "acknowledged");
  const backlog = line.open();
  for (const text of ["a", "b", "c"]) void backlog.push(message(text));
  await nextTurn();
  void backlog.push(message("d"));
  await backlog.emptied();
  expect(line.sent).toEqual(["a", "b", "c", "b", "d"]);
});

test("nothing is tried without a connection, and everything when there is one again", async () => {
  const line = new Line();
  line.isConnected = false;
  const backlog = line.open({ retryDelayMs: 60_000 });
  const acknowledged = ["a", "b"].map((text) => backlog.push(message(text)));
  await nextTurn();
  expect(line.sent).toEqual([]);

  line.isConnected = true;
  line.answer = () => {
    line.isConnected = false;
    return "again";
  };
  backlog.resume();
  await nextTurn();
  expect(line.sent).toEqual(["a", "b"]);

  line.isConnected = true;
  line.answer = () => "acknowledged";
  backlog.resume();
  await Promise.all(acknowledged);
  expect(line.sent).toEqual(["a", "b", "a", "b"]);
});

test("waits before it tries again on the same connection, unless there is another one", async () => {
  const line = new Line();
  line.answer = () => (line.sent.length === 1 ? "again" : "acknowledged");
  const backlog = line.open({ retryDelayMs: 60_000 });
  const acknowledged = backlog.push(message("a"));
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect(line.sent).toEqual(["a"]);
  backlog.resume();
  await acknowledged;
  expect(line.sent).toEqual(["a", "a"]);
});

test("has ten on their way at a time, fewer than a broker takes", async () => {
  const line = new Line();
  const arrived = Promise.withResolvers<Delivery>();
  const sent: OutgoingMessage[] = [];
  const send = (message: OutgoingMessage) => {
    sent.push(message);
    return arrived.promise;
  };
  const backlog = line.open({ send });
  for (let each = 0; each < 25; each++) void backlog.push(message(`${each}`));
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect(sent).toHaveLength(10);
  arrived.resolve("acknowledged");
  await backlog.emptied();
  expect(sent.map(({ payload }) => Number(payload))).toEqual(Array.from({ length: 25 }, (_, each) => each));
});

test("keeps no more than it may", async () => {
  const line = new Line();
  line.isConnected = false;
  const backlog = line.open({ capacity: 2 });
  for (const text of ["a", "b"]) void backlog.push(message(text));
  expect(() => backlog.push(message("c"))).toThrow(
    expect.objectContaining({
      code: "BACKLOG_FULL",
      message: "2 messages wait for their acknowledgement, which is the limit; one for t is not kept",
    }),
  );
  line.isConnected = true;
  backlog.resume();
  await backlog.emptied();
  await backlog.push(message("c"));
  expect(line.sent).toEqual(["a", "b", "c"]);
});

test("a message that the broker refuses ends, and is told", async () => {
  const line = new Line();
  line.answer = (text) => (text === "a" ? new Error("not authorized") : "acknowledged");
  const backlog = line.open();
  const [refused, taken] = ["a", "b"].map((text) => backlog.push(message(text)));
  await expect(refused).rejects.toMatchObject({ code: "MESSAGE_REFUSED", message: "nothing on t: not authorized" });
  await taken;
  expect(line.problems).toEqual(["MESSAGE_REFUSED"]);
});

test("what the store has goes out first after a restart, with its properties", async () => {
  const store = memoryStore();
  const offline = new Line();
  offline.isConnected = false;
  const before = offline.open({ store });
  const properties = {
    userProperties: [["status", "failed"]] as const,
    contentType: "application/json",
    correlationData: Buffer.from([0, 255]),
  };
  const lost = before.push({ ...message("a"), properties });
  for (let each = 0; each < 10; each++) void before.push(message(`${each}`));
  await nextTurn();
  before.close("kept");
  await expect(lost).rejects.toMatchObject({
    code: "MESSAGE_LOST",
    message: expect.stringContaining("; kept"),
  });

  store.values = new Map([...store.values].reverse()); // a store has no order
  const line = new Line();
  const after = line.open({ store });
  await after.push(message("z"));
  expect(line.sent).toEqual(["a", ..."0123456789", "z"]);
  expect(line.messages[0]?.properties).toEqual(properties);
});

test("a message that the store does not keep is not sent", async () => {
  const line = new Line();
  const store = { ...memoryStore(), set: () => Promise.reject(new Error("disk full")) };
  const pushed = line.open({ store: new OrderedStore(store) }).push(message("a"));
  await expect(pushed).rejects.toMatchObject({ code: "STORE_FAILED", message: expect.stringContaining("disk full") });
  expect(line.sent).toEqual([]);
  expect(line.problems).toEqual(["STORE_FAILED"]);
});

test("a closed one takes nothing", () => {
  const backlog = new Line().open();
  backlog.close("lost");
  expect(() => backlog.push(message("a"))).toThrow(expect.objectContaining({ code: "DEVICE_CLOSED" }));
});

/** A connection that a test decides about. */
class Line {
  isConnected = true;
  answer: (text: string) => Delivery = () => "acknowledged";
  readonly messages: OutgoingMessage[] = [];
  readonly problems: string[] = [];

  get sent(): readonly string[] {
    return this.messages.map(({ payload }) => payload.toString());
  }

  open(options: Partial<BacklogOptions> = {}): Backlog {
    const store = options.store ?? memoryStore();
    const kept = "values" in store ? (store.values as Map<string, string>) : new Map<string, string>();
    const all = {
      name: "message",
      capacity: 100,
      retryDelayMs: 1,
      isConnected: () => this.isConnected,
      send: async (sent: OutgoingMessage) => {
        this.messages.push(sent);
        return this.answer(sent.payload.toString());
      },
      onProblem: ({ code }: DeviceError) => void this.problems.push(code),
      ...options,
      store,
    };
    return new Backlog(all, kept);
  }
}

function message(text: string): OutgoingMessage {
  return { topic: "t", payload: Buffer.from(text) };
}
