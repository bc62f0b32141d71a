import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { functionFacts, queuedLoad } from "./functions.ts";
import { workloadOf } from "./testing.ts";
import { batchedUplink, plainUplink } from "./uplink.ts";

// What the plan says of the functions is what they do: each figure stands in their code.
test.for([
  ["infra/trestle-function.ts", /memorySize: ([\d_]+)/, functionFacts.memoryMb],
  ["infra/trestle-function.ts", /architecture: Architecture\.(ARM_64)/, "ARM64"],
  ["lambdas/forward/route-gate.ts", /const refreshMs = ([\d_]+)/, functionFacts.stateReadMs],
  ["lambdas/forward/route-gate.ts", /const successIntervalMs = ([\d_]+)/, functionFacts.successNoteMs],
  ["lambdas/forward/report.ts", /const publicationIntervalMs = ([\d_]+)/, functionFacts.metricLineMs],
  ["lambdas/forward/online-devices.ts", /const refreshMs = ([\d_]+)/, functionFacts.openRequestsReadMs],
  ["infra/circuit.ts", /const interval = Duration\.minutes\((\d+)\)/, functionFacts.circuitMs / 60_000],
] as const)("%s has the plan's figure", ([file, pattern, value]) => {
  const found = pattern.exec(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"))?.[1];
  expect(found?.replaceAll("_", "")).toBe(String(value));
});

const share = { invocations: undefined, parallelRequests: 10, memoryMb: 512 };

/** Milliseconds of 512 MB for the messages of an invocation: (0.05 each + 1.5) × 1,769 / 512. */
const processorMs = (messages: number) => (messages * 0.05 + 1.5) * (1_769 / 512);

test("few messages come one by one", () => {
  const workload = workloadOf();
  expect(queuedLoad(workload, plainUplink(workload), share)).toMatchObject({
    recordsPerInvocation: 1,
    invocationsPerSecond: 10,
    durationMs: expect.closeTo(100 + processorMs(1)),
    environments: 2, // 10/s × 0.105 s = 1.05
  });
});

test.for([
  // 200/s × 0.105 s = 21.07 at one time, five pollers: 4.2 each; with two, ten
  [200, undefined, 4.214],
  [200, 2, 10],
  [4_000, undefined, 10],
] as const)("%s messages/s and %s invocations make batches of so many", ([rate, invocations, records]) => {
  const workload = workloadOf({ devices: rate, ratePerDevice: 1 });
  const load = queuedLoad(workload, plainUplink(workload), { ...share, invocations });
  expect(load.recordsPerInvocation).toBeCloseTo(records, 2);
  expect(load.invocationsPerSecond).toBeCloseTo(rate / records, 0);
});

test("the requests of an invocation are side by side as far as they may", () => {
  const workload = workloadOf();
  const uplink = batchedUplink(workload, { maxMessages: 100, delayMs: 2_400, compression: 0.3 }); // 25 messages
  const durationMs = (parallelRequests: number) =>
    queuedLoad(workload, uplink, { ...share, parallelRequests }).durationMs;
  expect(durationMs(10)).toBeCloseTo(300 + processorMs(25));
  expect(durationMs(25)).toBeCloseTo(100 + processorMs(25));
  expect(durationMs(1)).toBeCloseTo(2_500 + processorMs(25));
});
