import fc from "fast-check";
import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import type { Qos } from "../scheme/scheme.ts";
import { type Concurrency, divideConcurrency, requestsOf } from "./concurrency.ts";

function divide(
  maxConcurrency: number,
  queued: number,
  direct: number,
  uplink: "bridge" | "relay" = "bridge",
): Concurrency {
  const qos: readonly Qos[] = [...Array<Qos>(queued).fill(1), ...Array<Qos>(direct).fill(0)];
  const routes = Object.fromEntries(
    qos.map((level, index) => [`r${index}`, { topic: `${index}/{deviceId}`, qos: level }]),
  );
  const api = { url: "https://api.example", maxConcurrency };
  return divideConcurrency(defineScheme({ name: "test", api, uplink, routes }));
}

/** As `direct, invocations × requests of the fresh lane, the same of the retry lane`, and of the frames. */
function show({ direct, lanes, frames }: Concurrency): string {
  const all = [lanes?.fresh, lanes?.retry, frames].filter((lane) => lane !== undefined);
  return [direct, ...all.map(({ invocations, parallelRequests }) => `${invocations}×${parallelRequests}`)].join(", ");
}

test.for([
  [50, 2, 1, "10, 3×4, 2×4"],
  [50, 2, 0, "0, 3×5, 2×5"],
  [50, 0, 3, "50"],
  [200, 2, 1, "40, 5×10, 3×10"],
  [1000, 1, 1, "200, 48×10, 32×10"],
  [30, 2, 1, "6, 4×2, 2×2"],
  [9, 2, 1, "1, 2×1, 2×1"], // the least
  [11, 2, 0, "0, 3×1, 2×1"],
  [17, 4, 1, "1, 2×1, 2×1"],
  [4, 1, 0, "0, 2×1, 2×1"],
  [1, 0, 1, "1"],
] as const)("%i requests for %i QoS 1 routes and %i direct ones", ([maximum, queued, direct, expected]) => {
  expect(show(divide(maximum, queued, direct))).toBe(expected);
});

test.for([
  [50, 1, 0, "0, 2×1, 2×10, 3×9"],
  [50, 2, 1, "3, 2×1, 2×4, 3×9"],
  [50, 0, 3, "2, 3×16"],
  [200, 2, 1, "1, 2×1, 3×10, 3×45"],
  [1000, 1, 1, "8, 2×1, 39×10, 6×100"],
  [11, 2, 1, "1, 2×1, 2×1, 2×1"], // the least
  [12, 2, 1, "1, 2×1, 2×1, 3×1"],
  [3, 0, 1, "1, 2×1"],
] as const)(
  "%i requests for %i QoS 1 routes and %i direct ones behind a relay",
  ([maximum, queued, direct, expected]) => {
    expect(show(divide(maximum, queued, direct, "relay"))).toBe(expected);
  },
);

test("never exceeds the maximum, and is within what AWS takes", () => {
  const counts = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }));
  const schemes = counts.filter(([queued, direct]) => queued + direct > 0);
  const uplinks = fc.constantFrom("bridge" as const, "relay" as const);
  fc.assert(
    fc.property(fc.integer({ min: 83, max: 10_000 }), schemes, uplinks, (maximum, [queued, routes], uplink) => {
      const { direct, lanes, frames } = divide(maximum, queued, routes, uplink);
      expect(direct >= 1).toBe(routes > 0);
      expect(lanes !== undefined).toBe(queued > 0);
      expect(frames !== undefined).toBe(uplink === "relay");
      const all = lanes === undefined ? [] : [lanes.fresh, lanes.retry];
      const perRoute = all.reduce((sum, lane) => sum + requestsOf(lane), 0);
      const inFrames = frames === undefined ? 0 : requestsOf(frames);
      expect(direct + inFrames + queued * perRoute).toBeLessThanOrEqual(maximum);
      if (frames !== undefined) {
        expect(frames.invocations).toBeGreaterThanOrEqual(inFrames >= 3 ? 3 : 2);
        expect(frames.invocations).toBeLessThanOrEqual(1000);
        expect(frames.parallelRequests).toBeLessThanOrEqual(100);
      }
      for (const { invocations, parallelRequests } of all) {
        expect(invocations).toBeGreaterThanOrEqual(2);
        expect(invocations).toBeLessThanOrEqual(1000);
        expect(parallelRequests).toBeGreaterThanOrEqual(1);
        expect(parallelRequests).toBeLessThanOrEqual(10);
      }
      if (lanes === undefined || frames !== undefined) return;
      // A slow message leaves two invocations to the others.
      if (requestsOf(lanes.fresh) >= 3) expect(lanes.fresh.invocations).toBeGreaterThanOrEqual(3);
      expect(requestsOf(lanes.retry)).toBeLessThanOrEqual(Math.max(2, perRoute / 2));
    }),
  );
});

test("refuses less than the queues and the frames need", () => {
  expect(() => divide(10, 2, 1, "relay")).toThrow(
    "10 is too small: 2 QoS 1 routes × 2 queues × 2 invocations + 2 invocations for the relay's frames + " +
      "1 for QoS 0 routes, the least that AWS can be limited to, makes 11",
  );
});

test.for([
  [8, 2, 1, "2 QoS 1 routes × 2 queues × 2 invocations + 1 for QoS 0 routes", 9],
  [1, 1, 0, "1 QoS 1 routes × 2 queues × 2 invocations", 4],
] as const)("refuses %i requests for %i QoS 1 routes and %i direct ones", ([maximum, queued, direct, parts, least]) => {
  expect(() => divide(maximum, queued, direct)).toThrow(
    `api.maxConcurrency: ${maximum} is too small: ${parts}, the least that AWS can be limited to, makes ${least}`,
  );
});
