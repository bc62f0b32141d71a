import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { framesLoad, functionFacts, queuedLoad } from "./functions.ts";
import { workloadOf } from "./testing.ts";
import { framesUplink, plainUplink } from "./uplink.ts";

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

test.for([
  // delay, side by side, requests one after the other
  [2_400, 100, 1],
  [2_400, 25, 1.45], // 1 and 24 on average: of that, 25 and more have a chance of 0.446, 50 and more of next to nothing
  [2_400, 1, 25],
  [10_000, 10, 10], // 101 are wanted, and a frame has 100: no chance
] as const)(
  "a frame of %s ms, %s side by side, makes %s requests one after the other",
  ([delayMs, parallel, rounds]) => {
    const workload = workloadOf();
    const uplink = framesUplink(workload, { maxMessages: 100, delayMs, compression: 0.3 });
    const { durationMs } = framesLoad(workload, uplink, { ...share, parallelRequests: parallel });
    expect((durationMs - processorMs(uplink.messagesPerPublish)) / 100).toBeCloseTo(rounds, 2);
  },
);

test.for([
  [1, 1],
  [2, 2 - 2 / 2 ** 10], // ten messages are all of one route once in 512 times
  [1_000, 9.955],
] as const)("of %s routes a frame of ten has %s", ([routes, inFrame]) => {
  const workload = workloadOf({ routes });
  const uplink = framesUplink(workload, { maxMessages: 100, delayMs: 900, compression: 0.3 });
  expect(framesLoad(workload, uplink, share).routesPerInvocation).toBeCloseTo(inFrame, 3);
});
