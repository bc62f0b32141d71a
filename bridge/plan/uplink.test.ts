import { expect, test } from "vitest";
import { workloadOf } from "./testing.ts";
import { atPeak, framesUplink, plainUplink } from "./uplink.ts";

const batching = { maxMessages: 100, delayMs: 250, compression: 0.3 };

const alone = { ...batching, maxMessages: 1 };

test.for([
  // rate, routes, delay: the first message and those of its delay, of all routes
  [10, 1, 900, 10],
  [10, 2, 900, 10],
  [10, 1, 0, 1],
  [0.01, 1, 1_000, 1.01],
  [4_000, 1, 250, 100], // 1 + 1,000, but a frame has no more
] as const)("%s messages/s on %s routes within %s ms make frames of so many", ([rate, routes, delayMs, messages]) => {
  const workload = workloadOf({ devices: 1, ratePerDevice: rate, routes });
  const uplink = framesUplink(workload, { ...batching, delayMs });
  expect(uplink.messagesPerPublish).toBeCloseTo(messages);
  expect(uplink.publishesPerSecond).toBeCloseTo(rate / messages);
  expect(uplink.connections).toBe(1);
});

test.for([
  // 250 + 30 + 30 bytes each: of these 0.3, and of one 0.8
  [100, 30.8],
  [4, 2],
  [1, 1], // not 1.1: a frame that grows is not compressed
] as const)("a frame of %s is as large as %s messages, and its header", ([maxMessages, messages]) => {
  const { payloadBytes, packetBytes } = framesUplink(workloadOf({ devices: 40_000 }), { ...batching, maxMessages });
  expect(payloadBytes).toBeCloseTo(8 + messages * 310);
  expect(packetBytes).toBeCloseTo(payloadBytes + "$aws/rules/drivers_prod_relay_frames/frames".length + 10);
});

test("a frame is no larger than IoT Core takes", () => {
  const workload = workloadOf({ devices: 10_000, payloadBytes: 10_000 });
  const batching = { maxMessages: 100, delayMs: 2_000, compression: 0.3 };
  // (131,064 / 10,060 - 0.8) / 0.3 = 40.8
  expect(framesUplink(workload, batching).messagesPerPublish).toBe(40);
  // 1,048,576 / 10,060 = 104.2: where they compress well, their number is the limit again
  expect(framesUplink(workload, { ...batching, compression: 0.05 }).messagesPerPublish).toBe(100);
  const large = { ...workload, payloadBytes: 100_000 };
  expect(framesUplink(large, { ...batching, compression: 1 }).messagesPerPublish).toBe(1);
});

test.for([
  // messages/s, bytes, connections: 90 publishes/s each, and 471,859 bytes/s
  [90, 250, 1],
  [91, 250, 2],
  [4_000, 250, 45],
  [90, 10_000, 2], // 90 × 10,121 = 910,890
] as const)("%s messages/s of %s bytes need %s connections with a frame each", ([rate, payloadBytes, connections]) => {
  const workload = workloadOf({ devices: rate, ratePerDevice: 1, payloadBytes });
  expect(framesUplink(workload, alone).connections).toBe(connections);
});

test("the busiest second decides on the connections, the average on the rest", () => {
  const workload = workloadOf({ devices: 60, ratePerDevice: 1, peakFactor: 3 });
  const uplink = framesUplink(workload, alone);
  expect(uplink).toMatchObject({ connections: 2, publishesPerSecond: 60 });
  expect(atPeak(workload, uplink, alone)).toMatchObject({ connections: 2, publishesPerSecond: 180 });
  expect(atPeak(workload, plainUplink(workload), undefined).publishesPerSecond).toBe(180);
  const busy = workloadOf({ devices: 20_000, ratePerDevice: 1, peakFactor: 3 });
  // 60,000 messages/s in frames of 100 are 600 publishes/s, and 600 × 9,609 bytes/s: 13 connections.
  expect(framesUplink(busy, batching)).toMatchObject({ connections: 13, publishesPerSecond: 200 });
});

test("a bridge has one connection, whatever it needs", () => {
  expect(plainUplink(workloadOf({ devices: 40_000 }))).toMatchObject({ connections: 1, publishesPerSecond: 4_000 });
});
