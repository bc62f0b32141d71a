import { expect, test } from "vitest";
import { type ChaosReport, describeReport, failuresOf } from "./report.ts";

const passed: ChaosReport = {
  plan: "all",
  seed: 7,
  published: 1_000,
  acknowledged: 1_000,
  received: 999,
  dead: 1,
  missing: [],
  missingAllowed: 0,
  duplicates: new Map([["reset", 3]]),
  unexplained: [],
  changedKeys: [],
  renamed: 0,
  unexpected: [],
  disturbances: [{ what: "kill -9 of the engine", atSeconds: 1, undelivered: 100 }],
  refusedAttempts: 4,
  publishSeconds: 1,
  deliverSeconds: 2,
  counts: { received: 1_000, unrouted: 0, pending: 0, delivered: 999, failed: 7, dead: 1, lost: 0 },
  ledgerFaults: [],
  problem: undefined,
};

test("a run passes where nothing is missing and every duplicate has a cause", () => {
  expect(failuresOf(passed)).toEqual([]);
  expect(describeReport(passed).at(-1)).toBe(
    "PASSED: 0 of 1000 acknowledged messages missing, 1 disturbances, plan all, seed 7",
  );
});

test.for<readonly [Partial<ChaosReport>, string]>([
  [{ missing: [17] }, "1 acknowledged messages are missing: 17"],
  [{ missing: [17, 18], missingAllowed: 1 }, "2 acknowledged messages are missing: 17, 18"],
  [{ unexplained: [5] }, "1 came twice without a cause: 5"],
  [{ changedKeys: [5, 6] }, "2 came with a second key: 5, 6"],
  [{ unexpected: ["POST /"] }, "1 requests are not what was sent, the first POST /"],
  [{ ledgerFaults: ["the ledger of r differs by 1"] }, "the ledger of r differs by 1"],
  [{ counts: passed.counts && { ...passed.counts, pending: 2 } }, "2 messages are still pending"],
  [{ problem: new Error("nothing happened for 30 s") }, "nothing happened for 30 s"],
])("a run with %o fails", ([difference, failure]) => {
  const report = { ...passed, ...difference };
  expect(failuresOf(report)).toEqual([failure]);
  expect(describeReport(report).at(-1)).toBe(`FAILED: ${failure}, plan all, seed 7`);
});

test("what the broker is known to lose may be missing", () => {
  expect(failuresOf({ ...passed, plan: "kill-broker", missing: [17], missingAllowed: 1 })).toEqual([]);
});
