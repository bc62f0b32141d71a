import { expect, test } from "vitest";
import { workloadOf } from "./testing.ts";
import { atPeak, batchedUplink, plainUplink, unbatchedUplink } from "./uplink.ts";

const batching = { maxMessages: 100, delayMs: 250, compression: 0.3 };

test.for([
  // rate, routes, delay: the first message and those of its delay, on its own route
  [10, 1, 900, 10],
  [10, 2, 800, 5],
  [10, 1, 0, 1],
  [0.01, 1, 1_000, 1.01],
  [4_000, 1, 250, 100], // 1 + 1,000, but a frame has no more
] as const)("%s messages/s on %s routes within %s ms make frames of so many", ([rate, routes, delayMs, messages]) => {
  const workload = workloadOf({ devices: 1, ratePerDevice: rate, routes });
  const uplink = batchedUplink(workload, { ...batching, delayMs });
  expect(uplink.messagesPerPublish).toBeCloseTo(messages);
  expect(uplink.publishesPerSecond).toBeCloseTo(rate / messages);
  expect(uplink.connections).toBe(1);
});

test("a frame's bytes are those of its messages, topics and members, compressed", () => {
  const { payloadBytes, packetBytes } = batchedUplink(workloadOf({ devices: 40_000 }), batching);
  expect(payloadBytes).toBeCloseTo(100 * (250 + 30 + 34) * 0.3);
  expect(packetBytes).toBeCloseTo(payloadBytes + 40);
});

test("a frame is no larger than IoT Core takes", () => {
  const workload = workloadOf({ devices: 10_000, payloadBytes: 10_000 });
  const batching = { maxMessages: 100, delayMs: 2_000, compression: 0.3 };
  // 131,072 / (10,064 × 0.3) = 43.4
  expect(batchedUplink(workload, batching).messagesPerPublish).toBe(43);
  // 1,048,576 / 10,064 = 104.2: where they compress well, their number is the limit again
  expect(batchedUplink(workload, { ...batching, compression: 0.05 }).messagesPerPublish).toBe(100);
  expect(
    batchedUplink({ ...workload, payloadBytes: 100_000 }, { ...batching, compression: 1 }).messagesPerPublish,
  ).toBe(1);
});

test.for([
  // messages/s, bytes, connections: 90 publishes/s each, and 471,859 bytes/s
  [90, 250, 1],
  [91, 250, 2],
  [4_000, 250, 45],
  [90, 10_000, 2], // 90 × 10,040 = 903,600
] as const)("%s messages/s of %s bytes need %s connections without batching", ([rate, payloadBytes, connections]) => {
  expect(unbatchedUplink(workloadOf({ devices: rate, ratePerDevice: 1, payloadBytes })).connections).toBe(connections);
});

test("the busiest second decides on the connections, the average on the rest", () => {
  const workload = workloadOf({ devices: 60, ratePerDevice: 1, peakFactor: 3 });
  expect(unbatchedUplink(workload)).toMatchObject({ connections: 2, publishesPerSecond: 60 });
  expect(atPeak(workload, unbatchedUplink(workload), undefined).publishesPerSecond).toBe(180);
  const busy = workloadOf({ devices: 20_000, ratePerDevice: 1, peakFactor: 3 });
  // 60,000 messages/s in frames of 100 are 600 publishes/s and 5,676,000 bytes/s: 13 connections.
  expect(batchedUplink(busy, batching)).toMatchObject({ connections: 13, publishesPerSecond: 200 });
});

test("a bridge has one connection, whatever it needs", () => {
  expect(plainUplink(workloadOf({ devices: 40_000 }))).toMatchObject({ connections: 1, publishesPerSecond: 4_000 });
});
