import { expect, test } from "vitest";
import type { DeviceCommand } from "./arrival.ts";
import { type Answer, CommandLog } from "./command-log.ts";
import type { DeviceStore } from "./store.ts";
import { memoryStore } from "./testing.ts";

const done: Answer = { status: "succeeded", body: "null" };

test("a command is handled once, and answered the same again", async () => {
  const log = open();
  const command = request("c1");
  expect(log.judge(command)).toEqual({ kind: "handle" });
  await log.accept(command);
  expect(log.judge(command)).toEqual({ kind: "wait" });
  await log.finish(command, done);
  expect(log.judge(command)).toEqual({ kind: "answer", answer: done });
});

test.for([
  [state("b", 6), "handle"],
  [state("b", 5), "outdated"], // another command of the same version
  [state("b", 4), "outdated"],
  [{ id: "b", kind: "state" }, "handle"], // a state of no version is judged by its id alone
  [request("b"), "handle"],
] as const)("after version 5 came, %j: %s", async ([command, kind]) => {
  const log = open();
  await log.accept(state("a", 5));
  expect(log.judge(as(command)).kind).toBe(kind);
});

test.for([
  [999, "expired"],
  [1000, "expired"],
  [1001, "handle"],
] as const)("a request that expires at %i is at 1000: %s", ([expiresAt, kind]) => {
  expect(open().judge({ ...request("c1"), expiresAt }).kind).toBe(kind);
});

test("an answer is given again after the request expired", async () => {
  const log = open();
  await log.finish(request("c1"), done);
  expect(log.judge({ ...request("c1"), expiresAt: 1 })).toEqual({ kind: "answer", answer: done });
});

test("the last answers are remembered, and the newest state whatever comes after it", async () => {
  const store = memoryStore();
  const log = open(store, 3);
  const newest = state("s", 1);
  await log.accept(newest);
  for (const command of [newest, request("c1"), request("c2"), request("c3")]) await log.finish(command, done);

  expect(log.judge(newest).kind).toBe("answer");
  expect(log.judge(request("c1")).kind).toBe("handle");
  expect(log.judge(request("c2")).kind).toBe("answer");
  expect([...store.values.keys()]).toEqual(["newest", "command/s", "command/c2", "command/c3"]);
});

test("knows after a restart what was handled, and in which order it is forgotten", async () => {
  const store = memoryStore();
  const before = open(store, 3);
  await before.accept(state("s", 5));
  for (const command of [state("s", 5), request("c2"), request("c1")]) await before.finish(command, done);
  store.values = new Map([...store.values].reverse()); // a store has no order

  const after = open(store, 3);
  expect(after.judge(state("s", 5)).kind).toBe("answer");
  expect(after.judge(state("r", 4)).kind).toBe("outdated");
  await after.finish(request("c3"), done);
  expect(after.judge(request("c2")).kind).toBe("handle");
  expect(after.judge(request("c1")).kind).toBe("answer");
});

test("a state whose handler the end of the process cut short is handled after the restart, an older one is not", async () => {
  const store = memoryStore();
  await open(store).accept(state("s", 5));
  const after = open(store);
  expect(after.judge(state("s", 5)).kind).toBe("handle");
  expect(after.judge(state("r", 4)).kind).toBe("outdated");
});

function open(store: DeviceStore & { readonly values: Map<string, string> } = memoryStore(), capacity = 100) {
  return CommandLog.from(store.values, store, { capacity, now: () => 1000 });
}

function state(id: string, version: number): DeviceCommand {
  return { ...as({ id, kind: "state" }), version };
}

function request(id: string): DeviceCommand {
  return as({ id, kind: "request" });
}

function as(command: Pick<DeviceCommand, "id" | "kind">): DeviceCommand {
  return { body: null, text: "null", ...command };
}
