import { expect, test } from "vitest";
import { CommandLedger } from "./commands.ts";
import { DueItems } from "./due-items.ts";
import { startTables } from "./testing.ts";

const start = Date.parse("2026-01-31T12:00:00Z");

async function openLedger() {
  const { client, commands } = await startTables();
  const clock = { now: start };
  const ledger = new CommandLedger(client, commands, () => clock.now);
  return { ledger, clock, dueItems: new DueItems(client, commands) };
}

const state = { id: "c1", deviceId: "d1", kind: "state", body: '{"n":1.0}', issuedAt: start } as const;
const request = { ...state, kind: "request", deadlineAt: start + 60_000 } as const;
const published = { attempts: [{ at: start, broker: "b" }], at: start + 5 };

test("records a command once", async () => {
  const { ledger } = await openLedger();
  expect(await ledger.record(state)).toEqual({ record: { ...state, state: "recorded", attempts: [] }, isNew: true });
  expect(await ledger.record({ ...state, body: "2" })).toMatchObject({ record: { body: '{"n":1.0}' }, isNew: false });
  expect(await ledger.get("c2")).toBeUndefined();
});

test("what is recorded is due after ten seconds, until it is published", async () => {
  const { ledger, dueItems } = await openLedger();
  await ledger.record(state);
  await ledger.record({ ...request, id: "c2" });
  expect(await dueItems.until(start + 9_999, 10)).toEqual([]);
  expect((await dueItems.until(start + 10_000, 10)).map(({ id }) => id).toSorted()).toEqual(["c1", "c2"]);
  await ledger.postpone("c1", start + 20_000);
  expect((await dueItems.until(start + 10_000, 10)).map(({ id }) => id)).toEqual(["c2"]);
  await ledger.notePublication({ id: "c1", kind: "state" }, { ...published, version: 7 });
  await ledger.notePublication({ id: "c2", kind: "request" }, published);
  expect(await dueItems.until(start + 59_999, 10)).toEqual([]);
  expect((await dueItems.until(start + 60_000, 10)).map(({ id }) => id)).toEqual(["c2"]); // at its deadline
});

test("a publication is noted with its attempts, the last twenty", async () => {
  const { ledger } = await openLedger();
  await ledger.record(state);
  const attempts = Array.from({ length: 30 }, (_, index) => ({ at: index, broker: "b", error: "away" }));
  const failed = await ledger.notePublication(state, { attempts, at: undefined });
  expect(failed).toMatchObject({ state: "recorded" });
  expect(failed.attempts.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, index) => index + 10));
  const record = await ledger.notePublication(state, { ...published, version: 7 });
  expect(record).toEqual({
    ...{ ...state, state: "published", version: 7 },
    ...{ publishedAt: start + 5, attempts: published.attempts },
  });
});

test("a reply that was quicker than its publication's note keeps its state", async () => {
  const { ledger } = await openLedger();
  await ledger.record(state);
  const reply = { commandId: "c1", deviceId: "d1", status: "succeeded", at: start + 1, body: "1.0" } as const;
  expect(await ledger.recordReply(reply)).toMatchObject({ outcome: "recorded", record: { state: "succeeded" } });
  const record = await ledger.notePublication(state, { ...published, version: 7 });
  expect(record).toMatchObject({ state: "succeeded", version: 7, publishedAt: start + 5, endedAt: start + 1 });
  expect(record.reply).toEqual({ status: "succeeded", at: start + 1, body: "1.0" });
});

test.for([
  ["the first reply", {}, "recorded"],
  ["another device's", { deviceId: "d2" }, "unknown"],
  ["one to no command", { commandId: "c9" }, "unknown"],
  ["one to another item of the table", { commandId: "device#d1" }, "unknown"],
] as const)("%s", async ([, other, outcome]) => {
  const { ledger } = await openLedger();
  await ledger.record(request);
  const reply = { commandId: "c1", deviceId: "d1", status: "failed", at: start + 1, body: "null", ...other } as const;
  expect(await ledger.recordReply(reply)).toMatchObject({ outcome });
  expect((await ledger.get("c1"))?.state).toBe(outcome === "recorded" ? "failed" : "recorded");
});

test("the first of two replies counts", async () => {
  const { ledger } = await openLedger();
  await ledger.record(request);
  const reply = { commandId: "c1", deviceId: "d1", status: "failed", at: start + 1, body: "1" } as const;
  await ledger.recordReply(reply);
  expect(await ledger.recordReply({ ...reply, status: "succeeded", body: "2" })).toMatchObject({
    ...{ outcome: "known", record: { reply: { body: "1" } } },
  });
  expect(await ledger.get("c1")).toMatchObject({ state: "failed", reply: { body: "1" } });
});

test("a reply that comes late is kept beside the state", async () => {
  const { ledger } = await openLedger();
  await ledger.record(request);
  expect(await ledger.end("c1", "expired")).toMatchObject({ state: "expired", endedAt: start });
  const reply = { commandId: "c1", deviceId: "d1", status: "succeeded", at: start + 1, body: "1" } as const;
  expect(await ledger.recordReply(reply)).toMatchObject({ outcome: "recorded" });
  expect(await ledger.get("c1")).toMatchObject({ state: "expired", reply: { status: "succeeded", body: "1" } });
});

test("an end is for what is pending, and is forgotten after seven days", async () => {
  const { ledger, clock } = await openLedger();
  await ledger.record(state);
  await ledger.end("c1", "superseded");
  expect(await ledger.end("c1", "cleared")).toMatchObject({ state: "superseded" });
  await expect(ledger.end("c1", "published")).rejects.toThrow("no end");
  clock.now += 7 * 86_400_000 - 1_000;
  expect(await ledger.get("c1")).toBeDefined();
  clock.now += 1_001;
  expect(await ledger.get("c1")).toBeUndefined();
  expect(await ledger.list("d1", { limit: 10 })).toEqual([]);
});

test("lists a device's commands page by page, newest first", async () => {
  const { ledger, clock } = await openLedger();
  for (const id of ["c1", "c2", "c3"]) await ledger.record({ ...state, id });
  await ledger.record({ ...state, id: "c4", deviceId: "d2" });
  const ids = async (options: { limit: number; before?: string }) =>
    (await ledger.list("d1", options)).map(({ id }) => id);
  expect(await ids({ limit: 2 })).toEqual(["c3", "c2"]);
  expect(await ids({ limit: 2, before: "c2" })).toEqual(["c1"]);
  await ledger.end("c3", "superseded");
  clock.now += 7 * 86_400_000 + 1_000;
  expect(await ids({ limit: 2 })).toEqual(["c2", "c1"]); // a page is full, whatever has expired
});

test("knows the open requests of a device, and the devices that have some", async () => {
  const { ledger, clock } = await openLedger();
  for (const [id, deviceId] of [
    ["c1", "d1"],
    ["c2", "d1"],
    ["c3", "d2"],
    ["c4", "d3"],
  ] as const) {
    await ledger.record({ ...request, id, deviceId });
    if (id !== "c4") await ledger.notePublication({ id, kind: "request" }, published);
  }
  await ledger.record({ ...state, id: "c5" });
  await ledger.recordReply({ commandId: "c3", deviceId: "d2", status: "succeeded", at: start, body: "1" });
  expect((await ledger.openRequestsOf("d1")).map(({ id }) => id)).toEqual(["c1", "c2"]);
  expect(await ledger.openRequests()).toEqual({ deviceIds: new Set(["d1"]), isLarge: false });
  clock.now += 60_000;
  expect(await ledger.openRequestsOf("d1")).toEqual([]);
  expect((await ledger.openRequests()).deviceIds.size).toBe(0);
});
