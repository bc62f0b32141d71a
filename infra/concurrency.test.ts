import fc from "fast-check";
import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import type { Qos } from "../scheme/scheme.ts";
import { divideConcurrency, invocationSeconds } from "./concurrency.ts";

function divide(maxConcurrency: number, queued: number, direct: number) {
  const qos: readonly Qos[] = [...Array<Qos>(queued).fill(1), ...Array<Qos>(direct).fill(0)];
  const routes = Object.fromEntries(
    qos.map((level, index) => [`r${index}`, { topic: `${index}/{deviceId}`, qos: level }]),
  );
  return divideConcurrency(defineScheme({ name: "test", api: { url: "https://api.example", maxConcurrency }, routes }));
}

test.for([
  [50, 2, 1, { direct: 10, perQueue: 2, parallelRequests: 10 }],
  [50, 2, 0, { direct: 0, perQueue: 2, parallelRequests: 10 }],
  [50, 0, 3, { direct: 50, perQueue: 0, parallelRequests: 1 }],
  [200, 2, 1, { direct: 40, perQueue: 8, parallelRequests: 10 }],
  [30, 2, 1, { direct: 6, perQueue: 2, parallelRequests: 6 }],
  [5, 2, 1, { direct: 1, perQueue: 2, parallelRequests: 1 }], // the least
  [9, 4, 1, { direct: 1, perQueue: 2, parallelRequests: 1 }],
  [2, 1, 0, { direct: 0, perQueue: 2, parallelRequests: 1 }],
  [1, 0, 1, { direct: 1, perQueue: 0, parallelRequests: 1 }],
] as const)("%i requests for %i queues and %i direct routes", ([maximum, queued, direct, expected]) => {
  expect(divide(maximum, queued, direct)).toEqual(expected);
});

test("never exceeds the maximum, and is within what AWS takes", () => {
  const counts = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }));
  const schemes = counts.filter(([queued, direct]) => queued + direct > 0);
  fc.assert(
    fc.property(fc.integer({ min: 41, max: 10_000 }), schemes, (maximum, [queued, routes]) => {
      const { direct, perQueue, parallelRequests } = divide(maximum, queued, routes);
      expect(direct + queued * perQueue * parallelRequests).toBeLessThanOrEqual(maximum);
      expect(direct >= 1).toBe(routes > 0);
      if (queued === 0) return;
      expect(perQueue).toBeGreaterThanOrEqual(2);
      expect(perQueue).toBeLessThanOrEqual(1000);
      expect(parallelRequests).toBeGreaterThanOrEqual(1);
      expect(parallelRequests).toBeLessThanOrEqual(10);
    }),
  );
});

test.for([
  [4, 2, 1, "2 queues of QoS 1 routes × 2 invocations + 1 for QoS 0 routes", 5],
  [1, 1, 0, "1 queues of QoS 1 routes × 2 invocations", 2],
] as const)("refuses %i requests for %i queues and %i direct routes", ([maximum, queued, direct, parts, least]) => {
  expect(() => divide(maximum, queued, direct)).toThrow(
    `api.maxConcurrency: ${maximum} is too small: ${parts}, the least that AWS can be limited to, makes ${least}`,
  );
});

test.for([
  [1, 1, 10_000, 15],
  [10, 10, 10_000, 15],
  [10, 3, 10_000, 45], // four rounds
  [10, 1, 60_000, 605], // the longest there is: Lambda takes 900
  [1, 1, 100, 6],
] as const)("%i messages, %i at a time, of %i ms take %i s at most", ([messages, parallel, timeoutMs, seconds]) => {
  expect(invocationSeconds(messages, parallel, timeoutMs)).toBe(seconds);
});
