import { expect, onTestFinished, test } from "vitest";
import { functionOf } from "../testing.ts";
import { FunctionPool, type Work } from "./function-pool.ts";
import { ReservedConcurrency } from "./reserved-concurrency.ts";
import { SynchronousInvocations, type SynchronousOptions } from "./synchronous-invocations.ts";

/** Does what its event says: answers, throws, or waits for a number of milliseconds first. */
const code = `
  let running = 0;
  export const handler = async ({ fail, ms = 0, name }) => {
    running += 1;
    if (fail) throw new RangeError(fail);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { name, running: running-- };
  };`;

async function start(options: Partial<SynchronousOptions> = {}, rest = {}) {
  const invocations = new SynchronousInvocations(functionOf(code, rest), { concurrency: 4, ...options });
  onTestFinished(() => invocations[Symbol.asyncDispose]());
  await invocations.started();
  const invoke = (event: object, timeoutMs = 20_000) => invocations.invoke(JSON.stringify(event), timeoutMs);
  return { invocations, invoke };
}

test("whoever asks has the function's answer, its failure, or no answer in time", async () => {
  const { invoke } = await start();
  expect(await invoke({ name: "a" })).toEqual({ kind: "answered", json: '{"name":"a","running":1}' });
  expect(await invoke({ fail: "no" })).toMatchObject({ kind: "failed", error: { type: "RangeError", message: "no" } });
  expect(await invoke({ ms: 10_000 }, 50)).toEqual({ kind: "timed-out" });
  // The environment is the one that still runs: another one takes the next.
  expect(await invoke({ name: "b" })).toMatchObject({ kind: "answered" });
});

test("50 that wait for a device themselves all run at one time", async () => {
  const { invocations, invoke } = await start({ concurrency: 64 });
  // Each waits for longer than it takes to start the environments of all.
  const calls = Array.from({ length: 50 }, (_, name) => invoke({ name, ms: 60_000 }, 60_000));
  await expect.poll(() => invocations.counts.invoked, { timeout: 25_000, interval: 50 }).toBe(50);
  expect(invocations.waiting).toBe(0);
  await invocations[Symbol.asyncDispose]();
  const outcomes = await Promise.all(calls);
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["failed"]));
});

test("a quick one never waits behind a long one", async () => {
  const { invoke } = await start({ concurrency: 2 });
  // An environment that was quick until now would be handed several at one time, if nobody waited for them.
  for (let index = 0; index < 20; index++) await invoke({});
  const long = invoke({ ms: 1_500, name: "long" });
  const order = await Promise.race([long, invoke({ name: "quick" })]);
  expect(order).toMatchObject({ json: expect.stringContaining("quick") });
  expect(await long).toMatchObject({ kind: "answered", json: '{"name":"long","running":1}' });
});

test("what is more than the function may run waits for its turn for a moment", async () => {
  const { invocations, invoke } = await start({ concurrency: 1, patienceMs: 20_000 });
  const outcomes = await Promise.all([invoke({ ms: 100, name: 1 }), invoke({ name: 2 }), invoke({ name: 3 })]);
  expect(outcomes).toMatchObject([1, 2, 3].map((name) => ({ json: `{"name":${name},"running":1}` })));
  expect(invocations.counts).toEqual({ invoked: 3, throttled: 0 });
});

test("and is throttled then", async () => {
  const { invocations, invoke } = await start({ concurrency: 1, patienceMs: 50 });
  void invoke({ ms: 60_000 });
  const outcomes = await Promise.all([invoke({}), invoke({})]);
  expect(outcomes).toEqual([{ kind: "throttled" }, { kind: "throttled" }]);
  expect(invocations.counts).toEqual({ invoked: 1, throttled: 2 });
});

test("what a function reserves is used up by its other sources, too", async () => {
  const reserved = new ReservedConcurrency(1);
  const { invocations, invoke } = await start({ concurrency: 1, reserved, patienceMs: 50 });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const work: Work[] = [{ event: '{"ms":1000}', settle: () => resolve() }];
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  const source = {
    take: () => {
      const next = work.shift();
      if (next !== undefined) take();
      return next;
    },
  };
  await using _ = new FunctionPool(functionOf(code), 1, source, reserved);
  await taken;
  expect(await invoke({})).toEqual({ kind: "throttled" });
  await ended;
  expect(await invoke({})).toMatchObject({ kind: "answered" });
  expect(invocations.counts).toEqual({ invoked: 1, throttled: 1 });
});

test("an end settles those that wait and those that run", async () => {
  const { invocations, invoke } = await start({ concurrency: 1, patienceMs: 60_000 });
  const calls = [invoke({ ms: 60_000 }), invoke({})];
  await invocations[Symbol.asyncDispose]();
  expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(["failed", "throttled"]);
  expect(await invoke({})).toEqual({ kind: "throttled" });
});
