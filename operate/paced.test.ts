import { expect, test } from "vitest";
import { paced } from "./paced.ts";

/** A clock that goes on when somebody waits for it. */
function virtualClock() {
  let time = 0;
  const wait = async (milliseconds: number) => {
    const until = time + milliseconds;
    await Promise.resolve();
    time = Math.max(time, until);
  };
  return { now: () => time, wait };
}

test("starts so many a second and no more", async () => {
  const clock = virtualClock();
  const starts: number[] = [];
  await paced(Array(101).keys(), { perSecond: 50, ...clock }, async () => {
    starts.push(clock.now());
  });
  expect(starts).toHaveLength(101);
  expect(clock.now()).toBe(2000);
});

test("does each item once, some at one time", async () => {
  const done: number[] = [];
  let underWay = 0;
  let most = 0;
  const items = (async function* () {
    for (let item = 0; item < 30; item += 1) yield item;
  })();
  await paced(items, { perSecond: 1_000_000, parallel: 4 }, async (item) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise(setImmediate);
    underWay -= 1;
    done.push(item);
  });
  expect(done.sort((a, b) => a - b)).toEqual([...Array(30).keys()]);
  expect(most).toBe(4);
});

test("begins nothing any more after a failure, and ends what has begun", async () => {
  const done: number[] = [];
  const run = paced(Array(100).keys(), { perSecond: 1_000_000, parallel: 2 }, async (item) => {
    if (item === 1) throw new Error("the queue is gone");
    await new Promise(setImmediate);
    done.push(item);
  });
  await expect(run).rejects.toThrow("the queue is gone");
  expect(done.length).toBeLessThan(10);
  expect(done).toContain(0);
});
