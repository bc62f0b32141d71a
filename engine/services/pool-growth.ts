import { availableParallelism } from "node:os";

/** When a pool whose environments are all busy starts others, and when it ends them. */
export interface PoolGrowth {
  /** How long it looks, in milliseconds, before it decides whether another environment would help. */
  readonly afterMs: number;
  /** Environments that start at one time at most. */
  readonly atOnce: number;
  /**
   * @param busy What the environments took of a processor meanwhile, all together: 1 is one processor.
   * @param idle Processors that nobody on the machine used meanwhile.
   */
  isWorthwhile(busy: number, idle: number): boolean;
  /** Environments that had nothing to run for so many milliseconds are ended; undefined where they are kept. */
  readonly unusedMs?: number;
}

/** Processors that have to be idle: with fewer, another thread would only share what there is, and compile it again. */
const wantedIdleProcessors = 0.5;

/** What waits in a queue may wait: one by one, while those there are wait for the network themselves. */
export const carefulGrowth: PoolGrowth = {
  afterMs: 100,
  atOnce: 1,
  // Threads that together take less than a quarter of a processor: another one costs the processors little.
  isWorthwhile: (busy, idle) => busy < 0.25 || idle >= wantedIdleProcessors,
};

const processors = availableParallelism();

/**
 * Somebody waits for every answer, and an invocation may wait for most of a minute itself: two start at one time for
 * each processor, unless the functions keep the processors busy already. Lambda would start 50 at once; here a thread
 * with the AWS SDK takes some 0.2 s of a processor to start, about as much for its first invocation, and 40 MB. More at
 * one time are not there sooner, and on a busy machine none would be within its time limit. Those of a burst end some
 * minutes after it, as Lambda's do.
 */
export const promptGrowth: PoolGrowth = {
  afterMs: 25,
  atOnce: 2 * processors,
  isWorthwhile: (busy, idle) => busy < 0.9 * processors || idle >= wantedIdleProcessors,
  unusedMs: 120_000,
};
