import { expect, test } from "vitest";
import { sharesOf } from "./shares.ts";
import { workloadOf } from "./testing.ts";

test.for([
  [50, 1, { queued: [3, 10], frames: [3, 9] }],
  [1_000, 1, { queued: [60, 10], frames: [5, 100] }],
  [6, 1, { queued: [4, 1], frames: [2, 1] }],
  [50, 5, { queued: [3, 2], frames: [3, 6] }], // 50 less 2 × 1 and 2 × 2 requests for the queues of each route
] as const)(
  "of %s requests at one time, %s routes and frames have invocations and requests %o",
  ([most, routes, lanes]) => {
    const { queued, frames } = sharesOf(workloadOf({ routes }), optionsOf({ maxConcurrency: most }));
    expect([queued.invocations, queued.parallelRequests]).toEqual(lanes.queued);
    expect([frames.invocations, frames.parallelRequests]).toEqual(lanes.frames);
  },
);

test.for([
  [{}, 9], // 1 request at one time: as by default, 50
  [{ devices: 20_000, ratePerDevice: 0.2 }, 100], // 400 at one time, of 800
  [{ devices: 2_000, ratePerDevice: 0.2, peakFactor: 2 }, 32], // 80 at one time, of 160, less 62 for the queues
  [{ routes: 20 }, 26], // 200, less 20 × 6 for the queues
  [{ devices: 1_000_000, ratePerDevice: 1 }, 100],
] as const)(
  "without a number of them, %o has %s of a frame's side by side in as many invocations as it needs",
  ([change, parallelRequests]) => {
    const { queued, frames } = sharesOf(workloadOf(change), optionsOf());
    expect(queued).toEqual({ invocations: undefined, parallelRequests: 10, memoryMb: 512 });
    expect(frames).toEqual({ invocations: undefined, parallelRequests, memoryMb: 512 });
  },
);

test("requests side by side are what somebody says they are", () => {
  const { queued, frames } = sharesOf(workloadOf(), optionsOf({ maxConcurrency: 50, parallelRequests: 25 }));
  expect([queued.invocations, queued.parallelRequests]).toEqual([3, 25]);
  expect([frames.invocations, frames.parallelRequests]).toEqual([3, 25]);
});

function optionsOf(change: { readonly maxConcurrency?: number; readonly parallelRequests?: number } = {}) {
  return { maxConcurrency: undefined, parallelRequests: undefined, memoryMb: 512, ...change };
}
