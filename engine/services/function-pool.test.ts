import { expect, test } from "vitest";
import { functionOf } from "../testing.ts";
import { FunctionPool, type Work, type WorkSource } from "./function-pool.ts";
import { promptGrowth } from "./pool-growth.ts";
import { ReservedConcurrency } from "./reserved-concurrency.ts";

/** Invocations that wait, and a promise for the end of all. */
class Backlog implements WorkSource {
  readonly ended: Promise<void>;
  readonly #events: string[];
  readonly #onEnd: () => void;
  #left: number;

  constructor(name: string, count: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#events = Array.from({ length: count }, () => JSON.stringify(name));
    this.#left = count;
    this.ended = promise;
    this.#onEnd = resolve;
  }

  take(): Work | undefined {
    const event = this.#events.shift();
    if (event === undefined) return undefined;
    const settle = () => {
      this.#left -= 1;
      if (this.#left === 0) this.#onEnd();
    };
    return { event, settle };
  }
}

const code = `
  // One clock for all threads: their time origins may be some milliseconds apart.
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  export const handler = async (name) => {
    const begin = now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log(JSON.stringify({ name, begin, end: now() }));
  };`;

test("two sources of a function that reserves one invocation take turns, and never overlap", async () => {
  const options = functionOf(code);
  const reserved = new ReservedConcurrency(1);
  const backlogs = [new Backlog("a", 20), new Backlog("b", 20)];
  const pools = backlogs.map((backlog) => new FunctionPool(options, 1, backlog, reserved));
  await Promise.all(backlogs.map(({ ended }) => ended));
  await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
  const spans = options.output.lines
    .map((line): { name: string; begin: number; end: number } => JSON.parse(line))
    .toSorted((one, other) => one.begin - other.begin);
  expect(spans).toHaveLength(40);
  for (const [index, { begin }] of spans.entries()) expect(begin).toBeGreaterThanOrEqual(spans[index - 1]?.end ?? 0);
  // From the moment that both run, no backlog keeps the other one out.
  const both = spans.slice(spans.findIndex(({ name }) => name !== spans[0]?.name) - 1);
  const alternating = both.slice(0, 20).map(({ name }) => name);
  expect(alternating).toEqual(alternating.map((_, index) => alternating[index % 2]));
});

test("a source that has nothing to do leaves the concurrency to the others", async () => {
  const options = functionOf(code);
  const reserved = new ReservedConcurrency(1);
  const backlog = new Backlog("a", 5);
  await using _ = new FunctionPool(options, 1, { take: () => undefined }, reserved);
  await using __ = new FunctionPool(options, 1, backlog, reserved);
  await backlog.ended;
});

test("environments of a burst end when nothing needs them any more", async () => {
  const options = functionOf(`console.log("loaded");${code}`, { isHandedOverAhead: false });
  const growth = { ...promptGrowth, isWorthwhile: () => true, unusedMs: 100 };
  let backlog = new Backlog("a", 0);
  await using pool = new FunctionPool(options, 3, { take: () => backlog.take(), waiting: 3 }, undefined, growth);
  const loaded = () => options.output.lines.filter((line) => line === "loaded").length;
  const burst = async () => {
    backlog = new Backlog("a", 30);
    pool.wake();
    await backlog.ended;
    return loaded();
  };
  // Three at most at one time: a fourth is there only if one of them was ended.
  await expect.poll(burst, { interval: 500, timeout: 20_000 }).toBeGreaterThan(3);
});

test("a limit that is lowered to nothing stops the taking, and raised again it goes on", async () => {
  const options = functionOf(code);
  const backlog = new Backlog("a", 5);
  await using pool = new FunctionPool(options, 2, backlog);
  pool.setLimit(0);
  await pool.started();
  await pool.whenIdle();
  pool.setLimit(1);
  await backlog.ended;
});
