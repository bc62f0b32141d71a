import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeFrame } from "../../scheme/frame/decode.ts";
import type { FrameMember } from "../../scheme/frame/frame.ts";
import { maxPayloadBytes } from "../payload-limits.ts";
import { Batcher, type BatcherOptions } from "./batcher.ts";
import type { Parcel } from "./parcel.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function start(more: Partial<BatcherOptions> = {}) {
  const parcels: Parcel[] = [];
  const sealed: FrameMember[] = [];
  const settled: string[] = [];
  const batcher = new Batcher({
    ...{ maxMessages: 100, delayMs: 200, qos: 1, framesTopic: "$aws/rules/acme_prod_relay_frames/frames" },
    send: (parcel) => parcels.push(parcel),
    sealed: (members) => sealed.push(...members),
    ...more,
  });
  const add = (payload: Buffer, rest: Partial<FrameMember> = {}) => {
    const member = { id: randomUUID(), receivedAt: Date.now(), topic: "v1/d/d42/up", payload, ...rest };
    batcher.add(member, "acme_prod_up", (outcome) => settled.push(`${member.id} ${outcome}`));
    return member;
  };
  return { batcher, parcels, sealed, settled, add };
}

const sizes = (parcels: readonly Parcel[]) => parcels.map(({ messages }) => messages);

test("a frame is sent when it is full, without waiting", () => {
  const { parcels, add } = start({ maxMessages: 3 });
  for (let n = 0; n < 7; n += 1) add(Buffer.from(`${n}`));
  expect(sizes(parcels)).toEqual([3, 3]);
});

test("a frame waits for others from its first message on, and no longer", () => {
  const { parcels, add } = start();
  add(Buffer.from("1"));
  vi.advanceTimersByTime(150);
  add(Buffer.from("2"));
  vi.advanceTimersByTime(49);
  expect(parcels).toHaveLength(0);
  vi.advanceTimersByTime(1);
  expect(sizes(parcels)).toEqual([2]);
  vi.advanceTimersByTime(1_000);
  expect(parcels).toHaveLength(1);
});

test("each message is settled with its frame, and told before it is sent", () => {
  const { batcher, parcels, sealed, settled, add } = start();
  const members = [add(Buffer.from("1")), add(Buffer.from("2"))];
  batcher.flush();
  expect(sealed).toEqual(members);
  expect(settled).toEqual([]);
  parcels[0]?.settle("sent");
  expect(settled).toEqual(members.map(({ id }) => `${id} sent`));
});

describe("no publish is larger than IoT Core takes", () => {
  const within = (parcels: readonly Parcel[]) => parcels.every(({ payload }) => payload.length <= maxPayloadBytes);
  const texts = (parcels: readonly Parcel[]) =>
    parcels.flatMap(({ payload, topic }) =>
      topic.endsWith("/frames") ? decodeFrame(payload).members.map((each) => each.payload.length) : [payload.length],
    );

  test("messages that do not compress make more frames", () => {
    const { batcher, parcels, add } = start();
    for (let n = 0; n < 30; n += 1) add(randomBytes(20_000));
    batcher.flush();
    expect(within(parcels)).toBe(true);
    expect(texts(parcels)).toHaveLength(30);
    // Six of them fit into a publish.
    expect(parcels.length).toBeLessThanOrEqual(6);
  });

  test("messages that stop to compress divide the frame that was to hold them", () => {
    const { batcher, parcels, add } = start();
    for (let n = 0; n < 500; n += 1) add(Buffer.alloc(5_000, "a"));
    batcher.flush();
    // Once it is known how well they compress, a frame holds all that it may: one hundred.
    expect(sizes(parcels)).toContain(100);
    for (let n = 0; n < 100; n += 1) add(randomBytes(5_000));
    batcher.flush();
    expect(within(parcels)).toBe(true);
    expect(texts(parcels)).toHaveLength(600);
  });

  test("one that a frame would make too large goes by itself, to its own rule, with its properties", () => {
    const { batcher, parcels, settled, add } = start();
    const member = add(randomBytes(maxPayloadBytes), { userProperties: [["k", "v"]], payloadFormat: "UTF8_DATA" });
    batcher.flush();
    expect(parcels).toHaveLength(1);
    expect(parcels[0]).toMatchObject({
      topic: "$aws/rules/acme_prod_up/v1/d/d42/up",
      payload: member.payload,
      properties: { userProperties: [["k", "v"]], payloadFormatIndicator: true },
    });
    parcels[0]?.settle("sent");
    expect(settled).toEqual([`${member.id} sent`]);
  });
});
