import { expect, test } from "vitest";
import { type DeadLetter, DeadLetters } from "../lambdas/store/dead-letters.ts";
import { startTables } from "../lambdas/store/testing.ts";
import { selectIds } from "./select-letters.ts";

const now = Date.parse("2026-01-31T12:00:00Z");
const states: ReadonlySet<DeadLetter["state"]> = new Set(["dead", "replaying"] as const);
const nothing = { route: undefined, deviceId: undefined, reason: undefined, since: undefined, until: undefined };
const all = { ...nothing, ids: [], states, limit: Number.POSITIVE_INFINITY };

function letter(id: string, rest: Partial<DeadLetter>): DeadLetter {
  return {
    ...{ id, route: "location", topic: undefined, deviceId: "d1", reason: "HTTP_422", detail: "", at: now - 1000 },
    ...{ attempts: [], message: "", state: "dead", stateAt: now },
    ...rest,
  };
}

const letters = [
  letter("m1", {}),
  letter("m2", { deviceId: "d2" }),
  letter("m3", { route: "activity", reason: "HTTP_400" }),
  letter("m4", { state: "replaying" }),
  letter("m5", { state: "replayed" }),
  letter("m6", { state: "dropped" }),
  letter("m7", { at: now - 3_600_000 }),
];

test.for([
  [{}, ["m1", "m2", "m3", "m4", "m7"]],
  [{ states: "all" }, ["m1", "m2", "m3", "m4", "m5", "m6", "m7"]],
  [{ states: new Set(["dropped"] as const) }, ["m6"]],
  [{ route: "activity" }, ["m3"]],
  [{ route: "location", deviceId: "d2" }, ["m2"]],
  [{ reason: "HTTP_400" }, ["m3"]],
  [{ since: now - 60_000, route: "location" }, ["m1", "m2", "m4"]],
  [{ until: now - 60_000 }, ["m7"]],
  [{ route: "location", limit: 1 }, ["m7"]], // the oldest
  [{ ids: ["m5", "m9", "m5"] }, ["m5", "m9"]],
] as const)("%j selects %j", async ([change, ids]) => {
  const { client, deadLetters: table } = await startTables();
  const deadLetters = new DeadLetters(client, table, 14, () => now);
  await deadLetters.put(letters);
  const selected = await selectIds({ ...all, ...change }, deadLetters);
  expect(selected.toSorted()).toEqual(ids);
});
