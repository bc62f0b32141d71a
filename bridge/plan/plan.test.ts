import { expect, test } from "vitest";
import { type DesignName, type DesignPlan, isRefused, makePlans, type PlanOptions } from "./plan.ts";
import { optionsOf, workloadOf } from "./testing.ts";
import type { Workload } from "./workload.ts";

test("every line of a batched plan, worked out by hand", () => {
  // 10 messages/s in frames of 10: of a million messages, 100,000 frames in 100,000 s, one a second.
  const plan = planned("relay, batched");
  const ms = 100 + (10 * 0.05 + 1.5) * (1_769 / 512);
  expect(perMillion(plan)).toEqual({
    "IoT Core connectivity": expect.closeTo((0.08 * 100_000) / 60 / 1e6),
    "IoT Core messaging (Basic Ingest: none)": 0,
    "IoT Core rules triggered": expect.closeTo(0.015), // 942 bytes, one step of 5 KB
    "IoT Core rule actions": expect.closeTo(0.015),
    "SQS: send, receive, delete": expect.closeTo(0.12), // 3 × 100,000
    "Lambda requests": expect.closeTo(0.02),
    "Lambda duration": expect.closeTo(100_000 * (ms / 1000) * 0.5 * 0.000_013_333_4),
    "DynamoDB reads": expect.closeTo(0.0125), // the route's state, at each invocation
    "DynamoDB writes": expect.closeTo(0.006_25), // a success, each ten seconds
    "DynamoDB storage": 0,
    "CloudWatch Logs": expect.closeTo((100_000 * (348 + 297) * 0.5) / 1e9),
    "CloudWatch Logs, kept a month": expect.closeTo((100_000 * (348 + 297) * 0.03) / 1e9),
    "data into IoT Core": 0,
    "data to the API, in the Region": 0,
  });
  expect(plan.usdPerMillion).toBeCloseTo(0.2943, 3);
});

test("every line of the design that is compared with", () => {
  const plan = planned("seed");
  const ms = 100 + 1.55 * (1_769 / 128);
  expect(perMillion(plan)).toEqual({
    "IoT Core connectivity": expect.closeTo((0.08 * 100_000) / 60 / 1e6),
    "IoT Core messaging": expect.closeTo(1),
    "IoT Core rules triggered": expect.closeTo(0.15),
    "IoT Core rule actions": expect.closeTo(0.15),
    "Lambda requests": expect.closeTo(0.2),
    "Lambda duration": expect.closeTo(1e6 * (ms / 1000) * 0.125 * 0.000_016_666_7),
    "CloudWatch Logs": expect.closeTo(0.174),
    "CloudWatch Logs, kept a month": expect.closeTo(0.010_44),
    "data into IoT Core": 0,
    "data to the API, in the Region": 0,
  });
});

test("what costs the same whatever is sent is told apart", () => {
  const { lines, usdPerMonth, usdPerMillion, usdPerMillionWithFixed } = planned("relay, batched");
  const fixed = lines.filter(({ isFixed }) => isFixed).map(({ name, usdPerMonth: usd }) => [name, usd.toFixed(2)]);
  expect(fixed).toEqual([
    ["SQS: polling of queues that are empty", "0.79"], // 3 queues × 0.25/s × 2,628,000 s × 0.40
    ["function circuit, every minute", "0.04"],
    ["CloudWatch metrics", "0.60"],
    ["CloudWatch alarms", "0.70"],
  ]);
  const millions = 26.28; // 10/s × 2,628,000 s
  expect(usdPerMonth).toBeCloseTo(usdPerMillionWithFixed * millions);
  expect((usdPerMillionWithFixed - usdPerMillion) * millions).toBeCloseTo(2.13, 1);
});

test("keeping and leasing are writes of each message", () => {
  const plain = planned("relay, batched");
  // 250 bytes, 336 in base64 with 400 of columns, 300 beside them: two writes of 1 KB; two more for a lease.
  const kept = planned("relay, batched", {}, { keepDays: 30, hasLease: true });
  expect(lineUsd(kept, "DynamoDB writes") - lineUsd(plain, "DynamoDB writes")).toBeCloseTo(4 * 0.625, 4);
  const gb = (250 + 736 + 300) / 1000; // of a million messages, for 30 days of 30.4
  expect(lineUsd(kept, "DynamoDB storage")).toBeCloseTo(gb * 0.25 * (30 / (365 / 12)), 4);
});

test("an API that is not in the Region costs its traffic", () => {
  const plan = planned("relay, batched", {}, { api: "internet" });
  expect(lineUsd(plan, "data to the API, by the internet")).toBeCloseTo(0.75 * 0.09);
});

test.for([
  ["plain", { devices: 1_001 }, {}, ["connectionPublishes"]],
  ["plain", { devices: 1_000 }, {}, []],
  ["plain", { devices: 500, peakFactor: 3 }, {}, ["connectionPublishes"]],
  ["plain", { devices: 900, payloadBytes: 6_000 }, {}, ["connectionBytes"]],
  ["relay", { devices: 1_001 }, {}, []],
  ["relay", { devices: 200_001 }, {}, ["accountPublishes", "ruleEvaluations"]],
  ["relay", { devices: 20_001 }, { regionSize: "small" }, ["accountPublishes", "ruleEvaluations"]],
  ["relay", { devices: 200_001 }, { raised: { accountPublishes: 30_000, ruleEvaluations: 30_000 } }, []],
  ["relay, batched", { devices: 200_001 }, {}, []],
  ["relay, batched", { payloadBytes: 131_073 }, {}, ["payload"]],
  // 20,000 messages/s × 0.6 s = 12,000 requests at one time, ten in each invocation
  ["relay, batched", { devices: 200_000, apiMs: 600 }, {}, ["concurrentExecutions", "mappingConcurrency"]],
  ["relay, batched", { devices: 200_000, apiMs: 600, routes: 2 }, {}, ["concurrentExecutions"]],
  ["relay, batched", { devices: 200_000 }, { hasLease: true, keepDays: 1 }, ["tableWrites"]],
  ["seed", { devices: 100_000 }, {}, ["connectionPublishes", "connectionBytes", "concurrentExecutions"]],
] as const)("%s, %o: breaks %4$o", ([name, workload, options, broken]) => {
  const plan = planned(name, workload, options);
  expect(plan.violations.map(({ quota }) => quota)).toEqual(broken);
  expect(isRefused(plan)).toBe(broken.length > 0);
});

test("an API that may not be asked enough at one time is a refusal, too", () => {
  const share = { invocations: 3, parallelRequests: 10, memoryMb: 512 };
  expect(isRefused(planned("relay, batched", { devices: 2_000 }, { share }))).toBe(false); // 20 requests
  expect(planned("relay, batched", { devices: 4_000 }, { share }).missingInvocations).toBe(2); // 40 of 30, 5 × 10
});

/** A million messages a day of 250 bytes to an API that takes 100 ms. */
const oneMillionADay: Partial<Workload> = { devices: 1, ratePerDevice: 1e6 / 86_400 };

test.for([
  // delay, side by side, hours a day: dollars per million
  [250, 10, 24, 0.695], // half is SQS, which takes three requests for each of 257,000 frames
  [389, 10, 24, 0.5],
  [250, 10, 15, 0.48], // the same number of messages in fewer hours makes larger frames
  [2_000, 10, 24, 0.181], // 24 messages in a frame are three rounds of ten
  [2_000, 25, 24, 0.125],
] as const)(
  "a million a day, %s ms, %s side by side, in %s hours: $%s a million",
  ([delayMs, parallel, hours, usd]) => {
    const rate = { ...oneMillionADay, hoursPerDay: hours, ratePerDevice: 1e6 / hours / 3_600 };
    const batching = { maxMessages: 100, delayMs, compression: 0.3 };
    const share = { invocations: undefined, parallelRequests: parallel, memoryMb: 512 };
    expect(planned("relay, batched", rate, { batching, share }).usdPerMillion).toBeCloseTo(usd, 2);
  },
);

function planned(name: DesignName, workload: Partial<Workload> = {}, options: Partial<PlanOptions> = {}): DesignPlan {
  const found = makePlans(workloadOf(workload), optionsOf(options)).find((plan) => plan.name === name);
  if (found === undefined) throw new Error(`there is no design '${name}'`);
  return found;
}

/** Of the lines that are not fixed. The test workload has 26.28 million messages a month. */
function perMillion({ lines }: DesignPlan): Readonly<Record<string, number>> {
  return Object.fromEntries(lines.filter((line) => !line.isFixed).map((line) => [line.name, line.usdPerMonth / 26.28]));
}

function lineUsd(plan: DesignPlan, name: string): number {
  return perMillion(plan)[name] ?? Number.NaN;
}
