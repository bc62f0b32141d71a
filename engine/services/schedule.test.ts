import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";
import { Schedule } from "./schedule.ts";

const plan = {
  logicalId: "Often",
  arn: "arn:aws:events:us-east-1:000000000000:rule/often",
  minutes: 2,
  isEnabled: true,
  functionArns: [],
};
const options = { minuteMs: 15_000, region: "us-east-1", accountId: "000000000000", clock: systemClock };

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-05-04T03:02:01.5Z") });
});

afterEach(() => {
  vi.useRealTimers();
});

test("the event is EventBridge's, at once", () => {
  const events: string[] = [];
  using schedule = new Schedule(plan, options, [(event) => events.push(event)]);
  expect(events).toEqual([]);
  schedule.start();
  expect(events.map((event) => JSON.parse(event))).toEqual([
    {
      version: "0",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: "000000000000",
      time: "2026-05-04T03:02:01Z",
      region: "us-east-1",
      resources: [plan.arn],
      detail: {},
    },
  ]);
});

test("every so many minutes all targets are invoked, until the end", () => {
  const events: string[] = [];
  const failing = () => {
    throw new Error("TooManyRequestsException");
  };
  const schedule = new Schedule(plan, options, [failing, (event) => events.push(event)]);
  schedule.start();
  vi.advanceTimersByTime(29_999);
  expect(events).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(events).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  expect(events).toHaveLength(4);
  schedule[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(events).toHaveLength(4);
});

test("a disabled one does nothing", () => {
  const events: string[] = [];
  using schedule = new Schedule({ ...plan, isEnabled: false }, options, [(event) => events.push(event)]);
  schedule.start();
  vi.advanceTimersByTime(60_000);
  expect(events).toEqual([]);
});

test("a rate is not limited by what timers can wait for", () => {
  const events: string[] = [];
  using schedule = new Schedule({ ...plan, minutes: 200_000 }, options, [(event) => events.push(event)]);
  schedule.start();
  vi.advanceTimersByTime(200_000 * 15_000 - 1);
  expect(events).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(events).toHaveLength(2);
});
