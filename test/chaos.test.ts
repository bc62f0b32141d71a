import { expect, test } from "vitest";
import { describeReport, failuresOf } from "./chaos/report.ts";
import { runChaos } from "./chaos/run.ts";

/** A run in which nothing moves any more ends by itself, and says what is missing: that should come first. */
const timeout = 120_000;

test("no acknowledged message is lost when the engine is killed twice", { timeout }, async () => {
  const report = await runChaos({ plan: "kill-engine", messages: 3_000, kills: 2, seed: 1, print: () => {} });
  expect(failuresOf(report), describeReport(report).join("\n")).toEqual([]);
  expect(report).toMatchObject({ acknowledged: 3_000, received: 3_000, missing: [] });
  expect(report.disturbances).toHaveLength(2);
  for (const { undelivered } of report.disturbances) expect(undelivered).toBeGreaterThanOrEqual(100);
});
