import { expect, test } from "vitest";
import { DeviceStates } from "./device-states.ts";
import { DueItems } from "./due-items.ts";
import { startTables } from "./testing.ts";

const start = Date.parse("2026-01-31T12:00:00Z");

async function openStates() {
  const { client, commands } = await startTables();
  const clock = { now: start };
  return {
    states: new DeviceStates(client, commands, () => clock.now),
    dueItems: new DueItems(client, commands),
    clock,
  };
}

const first = { id: "c1", issuedAt: start - 5, body: "1" };
const second = { id: "c2", issuedAt: start - 4, body: "2" };
const mine = { owner: "me", until: start + 4_000 };
const theirs = { owner: "they", until: start + 8_000 };

test("a device without commands has version 0", async () => {
  const { states } = await openStates();
  expect(await states.get("d1")).toMatchObject({ version: 0, command: undefined, newestId: undefined });
  expect(await states.takeLease("d1", mine)).toBeUndefined();
});

test("versions begin with the time and go up by one", async () => {
  const { states } = await openStates();
  const one = await states.advance("d1", first, mine);
  expect(one).toMatchObject({ hasLease: true, device: { version: start, previousId: undefined } });
  const two = await states.advance("d1", second, theirs);
  expect(two).toMatchObject({ hasLease: false, device: { version: start + 1, previousId: "c1", command: second } });
});

test("what is the newest already keeps its version", async () => {
  const { states } = await openStates();
  await states.advance("d1", first, mine);
  expect(await states.advance("d1", first, theirs)).toMatchObject({ hasLease: false, device: { version: start } });
  // as the SDK asks again where an answer got lost
  expect(await states.advance("d1", first, mine)).toMatchObject({ hasLease: true, device: { version: start } });
});

test("clearing is a version without a command", async () => {
  const { states } = await openStates();
  await states.advance("d1", first, mine);
  const { device } = await states.advance("d1", { id: "x1", issuedAt: start, body: undefined }, theirs);
  expect(device).toMatchObject({ version: start + 1, command: undefined, newestId: "x1", previousId: "c1" });
});

test("a lease is one owner's until it is over", async () => {
  const { states, clock } = await openStates();
  await states.advance("d1", first, mine);
  expect(await states.takeLease("d1", theirs)).toBeUndefined();
  clock.now = mine.until;
  expect(await states.takeLease("d1", theirs)).toBeUndefined();
  clock.now = mine.until + 1;
  expect(await states.takeLease("d1", theirs)).toMatchObject({ version: start });
  const held = await states.get("d1");
  expect(await states.release(held, mine, ["b"], true)).toEqual({ kind: "lost" });
  expect((await states.get("d1")).copies.size).toBe(0);
});

test("a lease that is given back says which brokers have the version", async () => {
  const { states, dueItems } = await openStates();
  const { device } = await states.advance("d1", first, mine);
  const released = await states.release(device, mine, ["b:8883", "aws-iot"], false);
  const copies = new Map([
    ["b:8883", start],
    ["aws-iot", start],
  ]);
  expect(released).toMatchObject({ kind: "released", device: { copies, leaseOwner: undefined } });
  expect(await dueItems.until(start + 10_000, 10)).toMatchObject([{ id: "device#d1" }]); // another broker lacks it
  expect(await states.takeLease("d1", theirs)).toBeDefined();
  await states.release(device, theirs, [], true);
  expect(await dueItems.until(start + 10_000, 10)).toEqual([]);
});

test("a lease under which another command came is held on", async () => {
  const { states } = await openStates();
  const { device } = await states.advance("d1", first, mine);
  await states.advance("d1", second, theirs);
  const released = await states.release(device, { ...mine, until: start + 9_000 }, ["b"], true);
  expect(released).toMatchObject({ kind: "newer", device: { version: start + 1, copies: new Map([["b", start]]) } });
  expect(await states.takeLease("d1", theirs)).toBeUndefined();
});

test("all devices are found, and no commands", async () => {
  const { states } = await openStates();
  await states.advance("d1", first, mine);
  await states.advance("d:2", second, mine);
  const found: string[] = [];
  for await (const page of states.all()) found.push(...page);
  expect(found.toSorted()).toEqual(["d1", "d:2"]);
});
