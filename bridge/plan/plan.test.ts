import { expect, test } from "vitest";
import { defaultBatching } from "../relay/batcher.ts";
import { type DesignName, type DesignPlan, isRefused, makePlans, type PlanOptions } from "./plan.ts";
import { optionsOf, workloadOf } from "./testing.ts";
import type { Workload } from "./workload.ts";

test("every line of a batched plan, worked out by hand", () => {
  // 10 messages/s in frames of 10: of a million messages, 100,000 frames in 100,000 s, one a second.
  const plan = planned("relay, batched");
  // Ten requests side by side take 100 ms; a frame of more, with a chance of 0.413, takes as long again.
  const ms = 141.3 + (10 * 0.05 + 1.5) * (1_769 / 512);
  expect(perMillion(plan)).toEqual({
    "IoT Core connectivity": expect.closeTo((0.08 * 100_000) / 60 / 1e6),
    "IoT Core messaging (Basic Ingest: none)": 0,
    "IoT Core rules triggered": expect.closeTo(0.015), // 8 + 310 × (0.8 + 10 × 0.3) = 1,186 bytes, one step of 5 KB
    "IoT Core rule actions": expect.closeTo(0.015),
    "Lambda requests, asynchronous": expect.closeTo(0.02), // 1,684 bytes in base64, less than 256 KB
    "Lambda duration": expect.closeTo(100_000 * (ms / 1000) * 0.5 * 0.000_013_333_4),
    "DynamoDB reads": expect.closeTo(0.0125), // the route's state, at each invocation
    "DynamoDB writes": expect.closeTo(0.006_25), // a success, each ten seconds
    "DynamoDB storage": 0,
    "CloudWatch Logs": expect.closeTo((100_000 * (348 + 297) * 0.5) / 1e9),
    "CloudWatch Logs, kept a month": expect.closeTo((100_000 * (348 + 297) * 0.03) / 1e9),
    "data into IoT Core": 0,
    "data to the API, in the Region": 0,
  });
  expect(plan.usdPerMillion).toBeCloseTo(0.2018, 3);
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
    ["SQS: polling of queues that are empty", "1.31"], // 5 queues × 0.25/s × 2,628,000 s × 0.40
    ["function circuit, every minute", "0.04"],
    ["CloudWatch metrics", "0.60"],
    ["CloudWatch alarms", "0.90"],
  ]);
  const millions = 26.28; // 10/s × 2,628,000 s
  expect(usdPerMonth).toBeCloseTo(usdPerMillionWithFixed * millions);
  expect((usdPerMillionWithFixed - usdPerMillion) * millions).toBeCloseTo(2.85, 1);
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
  // 20,000 messages/s of 0.105 s are 2,100 invocations at one time.
  ["relay", { devices: 200_001 }, {}, ["accountPublishes", "ruleEvaluations", "concurrentExecutions"]],
  ["relay", { devices: 20_001 }, { regionSize: "small" }, ["accountPublishes", "ruleEvaluations"]],
  [
    "relay",
    { devices: 200_001 },
    { raised: { accountPublishes: 30_000, ruleEvaluations: 30_000, concurrentExecutions: 3_000 } },
    [],
  ],
  ["relay, batched", { devices: 200_001 }, {}, []],
  ["relay, batched", { payloadBytes: 131_073 }, {}, ["payload"]],
  // 90 messages/s × 120 s = 10,800 requests at one time, ten in each invocation
  ["plain", { devices: 900, apiMs: 120_000 }, {}, ["concurrentExecutions", "mappingConcurrency"]],
  ["plain", { devices: 900, apiMs: 120_000, routes: 2 }, {}, ["concurrentExecutions"]],
  // 20,000 messages/s × 0.6 s = 12,000
  ["relay, batched", { devices: 200_000, apiMs: 600 }, {}, ["concurrentExecutions"]],
  ["relay", { payloadBytes: 131_000 }, {}, []], // 174,668 bytes of base64: below the 256 KB of an event
  ["relay, batched", { devices: 200_000 }, { hasLease: true, keepDays: 1 }, ["tableWrites"]],
  ["seed", { devices: 100_000 }, {}, ["connectionPublishes", "connectionBytes", "concurrentExecutions"]],
] as const)("%s, %o: breaks %4$o", ([name, workload, options, broken]) => {
  const plan = planned(name, workload, options);
  expect(plan.violations.map(({ quota }) => quota)).toEqual(broken);
  expect(isRefused(plan)).toBe(broken.length > 0);
});

test("an API that may not be asked enough at one time is a refusal, too", () => {
  const share = { invocations: 3, parallelRequests: 10, memoryMb: 512 };
  const shares = { queued: share, frames: share };
  // 200 and 400 messages/s, in frames of 100 that take ten requests one after the other: 1 s and 22 ms.
  expect(isRefused(planned("relay, batched", { devices: 2_000 }, { shares }))).toBe(false); // 2.04 at one time
  expect(planned("relay, batched", { devices: 4_000 }, { shares }).missingInvocations).toBe(2); // 4.09
  // Where there are queues, each route has as much of its own.
  expect(planned("plain", { devices: 4_000 }, { shares }).missingInvocations).toBe(2);
  expect(planned("plain", { devices: 4_000, routes: 16 }, { shares }).missingInvocations).toBe(0);
});

/** A million messages a day of 250 bytes to an API that takes 100 ms. */
const oneMillionADay: Partial<Workload> = { devices: 1, ratePerDevice: 1e6 / 86_400 };

test("a million a day costs at most $0.50 a million, every line worked out by hand", () => {
  // 11.574 messages/s: 1 + 2.720 in a frame, so that a million are 268,824 frames.
  const plan = millionADay({ delayMs: defaultBatching.delayMs });
  const frames = 1e6 / (1 + 0.235 * (1e6 / 86_400));
  // Of a frame beyond the nine requests that it may make at one time, the chance is 0.0019.
  const ms = 100.19 + (3.72 * 0.05 + 1.5) * (1_769 / 512);
  const logs = frames * 348 + 86_400 * 297; // what is counted is a line each second
  expect(perMillion(plan, 30.416_667)).toEqual({
    "IoT Core connectivity": expect.closeTo((0.08 * 1_440) / 1e6),
    "IoT Core messaging (Basic Ingest: none)": 0,
    "IoT Core rules triggered": expect.closeTo((frames * 0.15) / 1e6, 4), // 0.0403; 8 + 310 × (0.8 + 3.72 × 0.3) bytes
    "IoT Core rule actions": expect.closeTo((frames * 0.15) / 1e6, 4), // 0.0403
    "Lambda requests, asynchronous": expect.closeTo((frames * 0.2) / 1e6, 4), // 0.0538
    "Lambda duration": expect.closeTo(frames * (ms / 1000) * 0.5 * 0.000_013_333_4, 4), // 0.1900
    "DynamoDB reads": expect.closeTo((86_400 * 0.125) / 1e6, 4), // 0.0108, the route's state, each second
    "DynamoDB writes": expect.closeTo((8_640 * 0.625) / 1e6, 4), // 0.0054, a success, each ten seconds
    "DynamoDB storage": 0,
    "CloudWatch Logs": expect.closeTo((logs * 0.5) / 1e9, 4), // 0.0596
    "CloudWatch Logs, kept a month": expect.closeTo((logs * 0.03) / 1e9, 4), // 0.0036
    "data into IoT Core": 0,
    "data to the API, in the Region": 0,
  });
  expect(plan.usdPerMillion).toBeCloseTo(0.4039, 3);
  expect(plan.usdPerMillionWithFixed).toBeCloseTo(0.4976, 3);
  expect(plan.usdPerMillion).toBeLessThanOrEqual(0.5);
});

test("and at most $0.15 a million where messages wait for two seconds", () => {
  // 24.15 messages in a frame, 41,411 frames: 2,555 bytes, and 3.13 times nine requests of 100 ms.
  const plan = millionADay({ delayMs: 2_000 });
  const lines = Object.values(perMillion(plan, 30.416_667));
  const byHand = [
    0.0001, // 1,440 minutes of a connection
    0.0062, // 41,411 rules triggered
    0.0062, // and actions
    0.0083, // and invocations
    0.0889, // of 0.3222 s and 0.5 GB
    0.0052, // 41,411 reads: frames are more than a second apart
    0.0054, // 8,640 writes
    0.0134, // 41,411 × 645 bytes of logs
    0.0008, // the same, for a month
  ];
  expect(lines.filter((usd) => usd > 0)).toEqual(byHand.map((usd) => expect.closeTo(usd, 4)));
  expect(plan.usdPerMillion).toBeCloseTo(0.1345, 3);
  expect(plan.usdPerMillionWithFixed).toBeCloseTo(0.2282, 3);
  expect(plan.usdPerMillion).toBeLessThanOrEqual(0.15);
});

test.for([
  // delay, side by side, hours a day: dollars per million
  [389, 9, 24, 0.288],
  [235, 9, 15, 0.283], // the same number of messages in fewer hours makes larger frames
  [2_000, 25, 24, 0.086], // 25 messages and more are two rounds
] as const)("%s ms, %s side by side, in %s hours: $%s a million", ([delayMs, parallelRequests, hoursPerDay, usd]) => {
  expect(millionADay({ delayMs, parallelRequests, hoursPerDay }).usdPerMillion).toBeCloseTo(usd, 3);
});

test("the design that it is compared with costs $1.75, and its logs", () => {
  const plan = planned("seed", oneMillionADay);
  expect(plan.usdPerMillion - 0.1844).toBeCloseTo(1.753, 2);
});

/** With the requests side by side that `api.maxConcurrency` gives by default. */
function millionADay({ delayMs = 0, parallelRequests = 9, hoursPerDay = 24 }): DesignPlan {
  const workload = { ...oneMillionADay, hoursPerDay, ratePerDevice: 1e6 / hoursPerDay / 3_600 };
  const share = { invocations: undefined, parallelRequests, memoryMb: 512 };
  const batching = { maxMessages: 100, delayMs, compression: 0.3 };
  return planned("relay, batched", workload, { batching, shares: { queued: share, frames: share } });
}

function planned(name: DesignName, workload: Partial<Workload> = {}, options: Partial<PlanOptions> = {}): DesignPlan {
  const found = makePlans(workloadOf(workload), optionsOf(options)).find((plan) => plan.name === name);
  if (found === undefined) throw new Error(`there is no design '${name}'`);
  return found;
}

/** Of the lines that are not fixed. The test workload has 26.28 million messages a month. */
function perMillion({ lines }: DesignPlan, millions = 26.28): Readonly<Record<string, number>> {
  const growing = lines.filter((line) => !line.isFixed);
  return Object.fromEntries(growing.map((line) => [line.name, line.usdPerMonth / millions]));
}

function lineUsd(plan: DesignPlan, name: string): number {
  return perMillion(plan)[name] ?? Number.NaN;
}
