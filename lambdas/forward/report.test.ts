import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { expect, test } from "vitest";
import { MessageError } from "../../scheme/message-error.ts";
import type { Outcome } from "./deliver.ts";
import { ForwardError } from "./failure.ts";
import { Report } from "./report.ts";
import { testScheme } from "./test-message.ts";

const delivered: Outcome = { kind: "delivered", strippedHeaders: 0 };
const refused: Outcome = { kind: "refused", error: new MessageError("ENVELOPE_NOT_JSON", "not JSON") };

function failed(status: number): Outcome {
  return { kind: "failed", error: new ForwardError(`HTTP_${status}`, `the API answered ${status}`) };
}

/** A report whose clock, metrics and log lines are the test's. Each publication is one text. */
function setUp() {
  const state = { now: 1_000_000, published: [] as string[], warnings: [] as unknown[] };
  const pending: string[] = [];
  const metrics: Pick<Metrics, "addDimension" | "addMetric" | "publishStoredMetrics"> = {
    addDimension: (_name, value) => chained(pending.push(value)),
    addMetric: (name, unit, value) => chained(pending.push(`${name}=${value}${unit === MetricUnit.Count ? "" : unit}`)),
    publishStoredMetrics: () => chained(state.published.push(pending.splice(0).join(" "))),
  };
  const chained = (_: unknown): Metrics => metrics as Metrics;
  const logger = { warn: (...line: unknown[]) => void state.warnings.push(line) };
  return { report: new Report({ routes: testScheme.routes, now: () => state.now, logger, metrics }), state };
}

test("publishes what it counted by route and code, once", () => {
  const { report, state } = setUp();
  report.add("location", delivered);
  report.add("location", { kind: "delivered", strippedHeaders: 2 });
  report.add("location", failed(503));
  report.add("location", failed(503));
  report.add("location", failed(429));
  report.add("health", refused);
  report.publish();
  report.publish();
  expect(state.published).toEqual([
    "location Delivered=2 HeadersStripped=2",
    "location HTTP_503 Failed=2",
    "location HTTP_429 Failed=1",
    "health ENVELOPE_NOT_JSON Refused=1",
  ]);
});

test("says nothing of a delivered message, and of failures the first of each kind", () => {
  const { report, state } = setUp();
  report.add("location", delivered);
  for (const messageId of ["m1", "m2", "m3"]) report.add("location", failed(503), { messageId });
  for (const messageId of ["m4", "m5"]) report.add("location", refused, { messageId });
  expect(state.warnings).toEqual([
    ["message not delivered", { code: "HTTP_503", reason: "the API answered 503", route: "location", messageId: "m1" }],
    ["message refused", { code: "ENVELOPE_NOT_JSON", reason: "not JSON", route: "location", messageId: "m4" }],
  ]);
});

test("counts what was received and what was given up, by route", () => {
  const { report, state } = setUp();
  for (let count = 0; count < 3; count += 1) report.received("location");
  report.deadLettered("location");
  report.deadLettered("nowhere");
  report.publish();
  expect(state.published).toEqual(["location Received=3 DeadLettered=1", "unknown DeadLettered=1"]);
});

test("makes no dimension of a route's name that only a message knows", () => {
  const { report, state } = setUp();
  report.add("'; DROP", refused);
  report.publish();
  expect(state.published).toEqual(["unknown ENVELOPE_NOT_JSON Refused=1"]);
});

test("publishes single deliveries once a second", () => {
  const { report, state } = setUp();
  const deliver = (): void => {
    report.add("health", delivered);
    report.publishNowAndThen();
  };
  deliver();
  for (let count = 0; count < 9; count += 1) {
    state.now += 100;
    deliver();
  }
  expect(state.published).toEqual(["health Delivered=1"]);
  state.now += 100;
  deliver();
  expect(state.published).toEqual(["health Delivered=1", "health Delivered=10"]);
});
