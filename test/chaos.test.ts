import { expect, test } from "vitest";
import { type ChaosReport, describeReport, failuresOf } from "./chaos/report.ts";
import { runChaos } from "./chaos/run.ts";

/** A run in which nothing moves any more ends by itself, and says what is missing: that should come first. */
const timeout = 120_000;
/** Its order has the kills last, after which nothing has to wait long. */
const short = { faultSeconds: 0.4, seed: 54, print: () => {} };

// At the same time: most of both is waiting for delays.
test.concurrent("no acknowledged message is lost when the engine is killed twice", { timeout }, async () => {
  const report = await runChaos({ ...short, plan: "kill-engine", messages: 3_000, kills: 2 });
  expectPassed(report);
  expect(report.acknowledged).toBeGreaterThanOrEqual(3_000);
  expect(report.disturbances).toHaveLength(2);
  for (const { undelivered } of report.disturbances) expect(undelivered).toBeGreaterThanOrEqual(100);
});

test.concurrent("nor by all plans in one run, and what comes twice has a cause", { timeout }, async () => {
  expectPassed(await runChaos({ ...short, plan: "all", messages: 1_500, kills: 1 }));
});

function expectPassed(report: ChaosReport): void {
  expect(failuresOf(report), describeReport(report).join("\n")).toEqual([]);
  expect(report).toMatchObject({ received: report.published, missing: [], dead: 0 });
}
