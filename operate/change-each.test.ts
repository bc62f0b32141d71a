import { expect, test } from "vitest";
import { type Change, changeEach } from "./change-each.ts";
import { testTerminal } from "./testing.ts";

function setUp(isDryRun = false) {
  const { terminal, lines } = testTerminal();
  return { options: { verb: "replayed", isDryRun, perSecond: 1_000_000, idOf: String, terminal }, lines };
}

const changes: Readonly<Record<string, Change>> = {
  m1: { kind: "done", route: "location" },
  m2: { kind: "skipped", reason: "it is replayed already" },
  m3: { kind: "failed", reason: "there is no such dead letter" },
  m4: { kind: "done", route: "activity" },
  m5: { kind: "done", route: "location" },
};
const change = async (id: string) => changes[id] as Change;

test("says what was not changed, and how many were", async () => {
  const { options, lines } = setUp();
  expect(await changeEach(["m1", "m2", "m3", "m4", "m5"], options, change)).toBe(false);
  expect(lines()).toEqual([
    "m2  not replayed: it is replayed already",
    "m3  not replayed: there is no such dead letter",
    "3 replayed (location 2, activity 1)",
  ]);
});

test("has done everything where some were done already", async () => {
  const { options, lines } = setUp(true);
  expect(await changeEach(["m1", "m2"], options, change)).toBe(true);
  expect(lines().at(-1)).toBe("1 would be replayed (location 1)");
});

test("says how many were changed before it failed", async () => {
  const { options, lines } = setUp();
  const run = changeEach(["m1", "m9"], options, async (id) => changes[id] ?? Promise.reject(new Error("no network")));
  await expect(run).rejects.toThrow("no network");
  expect(lines()).toEqual(["1 replayed (location 1)"]);
});
