import { setImmediate } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { functionOf, type Output, VirtualClock } from "../testing.ts";
import { AsynchronousEvents } from "./asynchronous-events.ts";
import { systemClock } from "./clock.ts";

const minute = 60_000;
const defaults = { maximumAgeMs: 360 * minute, retryAttempts: 2, concurrency: 1, clock: systemClock };
/** Fails where the event says so, and prints the event first. */
const code = `export const handler = async (event) => {
  console.log(event.id);
  if (event.isBad) throw new Error("no");
};`;

/** An invocation that failed is settled, and its retry set. */
async function retryIsSet(clock: VirtualClock): Promise<void> {
  while (clock.nextTimerAt === undefined) await setImmediate();
}

function ids({ lines }: Output): readonly string[] {
  return lines.filter((line) => /^\w$/.test(line));
}

test("every event is one invocation", async () => {
  const options = functionOf(code);
  await using events = new AsynchronousEvents(options, defaults);
  for (const id of ["a", "b", "c"]) events.accept(JSON.stringify({ id }));
  await options.output.until((lines) => lines.length === 3);
  expect(options.output.lines).toEqual(["a", "b", "c"]);
  await events.stop();
  expect(events.counts).toEqual({ accepted: 3, succeeded: 3, failed: 0, expired: 0, overflowed: 0 });
});

test("a failed event with no retry attempts is gone", async () => {
  const options = functionOf(code);
  await using events = new AsynchronousEvents(options, { ...defaults, retryAttempts: 0 });
  events.accept(JSON.stringify({ id: "a", isBad: true }));
  events.accept(JSON.stringify({ id: "b" }));
  await options.output.until((lines) => lines.includes("b"));
  await events.stop();
  expect(ids(options.output)).toEqual(["a", "b"]);
  expect(events.counts).toMatchObject({ succeeded: 1, failed: 1 });
});

test("a failed event is retried after one minute and after two more", async () => {
  const clock = new VirtualClock();
  const options = functionOf(code);
  await using events = new AsynchronousEvents(options, { ...defaults, clock });
  events.accept(JSON.stringify({ id: "a", isBad: true }));
  const begun = (count: number) => options.output.until(() => ids(options.output).length === count);
  await begun(1);
  await retryIsSet(clock);
  expect(clock.nextTimerAt).toBe(clock.now() + minute);
  clock.advance(minute);
  await begun(2);
  await retryIsSet(clock);
  expect(clock.nextTimerAt).toBe(clock.now() + 2 * minute);
  clock.advance(2 * minute);
  await begun(3);
  await vi.waitFor(() => expect(events.counts.failed).toBe(1));
  await events.stop();
  expect(ids(options.output)).toEqual(["a", "a", "a"]);
  expect(events.counts).toMatchObject({ accepted: 1, failed: 1, succeeded: 0 });
});

test("each attempt of an event is the same request", async () => {
  const clock = new VirtualClock();
  const options = functionOf(
    "export const handler = async (_, { awsRequestId }) => { throw new Error(awsRequestId) };",
  );
  await using events = new AsynchronousEvents(options, { ...defaults, clock });
  events.accept("{}", { requestId: "request-1" });
  await retryIsSet(clock);
  clock.advance(minute);
  await options.output.until((lines) => lines.filter((line) => line.includes('"request-1"')).length === 2);
  await events.stop();
});

test("an event that waits for its retry when the engine stops has failed", async () => {
  const clock = new VirtualClock();
  const options = functionOf(code);
  await using events = new AsynchronousEvents(options, { ...defaults, clock });
  events.accept(JSON.stringify({ id: "a", isBad: true }));
  await retryIsSet(clock);
  await events.stop();
  expect(events.counts).toMatchObject({ accepted: 1, failed: 1, succeeded: 0 });
  expect(clock.nextTimerAt).toBeUndefined();
});

test("an event that waited longer than its age is not invoked", async () => {
  const clock = new VirtualClock();
  const options = functionOf(code);
  await using events = new AsynchronousEvents(options, { ...defaults, clock, maximumAgeMs: minute });
  events.accept(JSON.stringify({ id: "a" }));
  clock.advance(minute + 1);
  events.accept(JSON.stringify({ id: "b" }));
  await options.output.until((lines) => lines.length === 1);
  await events.stop();
  expect(options.output.lines).toEqual(["b"]);
  expect(events.counts).toMatchObject({ expired: 1, succeeded: 1 });
});

test("more events than memory should hold are refused", async () => {
  await using events = new AsynchronousEvents(functionOf(code), defaults);
  // Nothing is taken before the code is loaded.
  for (let count = 0; count < 20_000; count++) events.accept("{}");
  expect(() => events.accept("{}")).toThrow("TooManyRequestsException: 20000 events wait for the function");
  expect(events.counts).toMatchObject({ accepted: 20_000, overflowed: 1 });
});

test("stop waits for the invocation that runs; the events that wait have failed", async () => {
  const slow = `export const handler = async () => { console.log("begin"); await new Promise((resolve) => setTimeout(resolve, 50)); };`;
  const options = functionOf(slow);
  await using events = new AsynchronousEvents(options, defaults);
  for (let count = 0; count < 3; count++) events.accept("{}");
  await options.output.until((lines) => lines.length === 1);
  await events.stop();
  expect(events.counts).toEqual({ accepted: 3, succeeded: 1, failed: 2, expired: 0, overflowed: 0 });
});
