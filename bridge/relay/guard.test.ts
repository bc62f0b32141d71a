import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { encodeFrame } from "../../scheme/frame/encode.ts";
import type { FrameMember } from "../../scheme/frame/frame.ts";
import { maxPayloadBytes, maxRelayPayloadBytes } from "../payload-limits.ts";
import { refusalOf, refusedMembers } from "./guard.ts";

function member(more: Partial<FrameMember> = {}): FrameMember {
  return { id: randomUUID(), receivedAt: 0, topic: "v1/drivers/d42/location", payload: Buffer.from("{}"), ...more };
}

const pairs = (count: number) => Array.from({ length: count }, () => ["key", "x".repeat(1_021)] as const);

describe("what AWS IoT Core takes is not refused", () => {
  test.for([
    ["an empty payload", { payload: Buffer.alloc(0) }],
    ["128 KiB", { payload: Buffer.alloc(maxPayloadBytes) }],
    ["7 slashes", { topic: "1/2/3/4/5/6/7/8" }],
    ["256 bytes of topic", { topic: "é".repeat(128) }],
    ["8 KiB of user properties", { userProperties: pairs(8) }],
    ["8 KiB of correlation data", { correlationData: Buffer.alloc(8_192) }],
    ["256 bytes of content type", { contentType: "x".repeat(256) }],
  ] as const)("%s", ([, more]) => {
    expect(refusalOf(member(more))).toBeUndefined();
  });
});

describe("what AWS IoT Core does not take is refused with the value and the limit", () => {
  test.for([
    [
      "PAYLOAD_TOO_LARGE",
      { payload: Buffer.alloc(131_073) },
      "131073 bytes of payload, the limit of IoT Core is 131072",
    ],
    ["TOPIC_TOO_DEEP", { topic: "1/2/3/4/5/6/7/8/9" }, "8 slashes, the limit is 7"],
    ["TOPIC_TOO_LONG", { topic: "é".repeat(129) }, "258 bytes of UTF-8, the limit is 256"],
    ["TOPIC_RESERVED", { topic: "$aws/things/x" }, "begins with $"],
    ["PROPERTIES_TOO_LARGE", { userProperties: [...pairs(8), ["k", ""]] }, "8193 bytes of user properties"],
    ["PROPERTIES_TOO_LARGE", { correlationData: Buffer.alloc(8_193) }, "8193 bytes of correlation data"],
    ["PROPERTIES_TOO_LARGE", { contentType: "x".repeat(257) }, "257 bytes of content type"],
  ] as const)("%s", ([reason, more, detail]) => {
    expect(refusalOf(member(more as Partial<FrameMember>))).toEqual({
      reason,
      detail: expect.stringContaining(detail),
    });
  });
});

describe("a refused message as members", () => {
  const refusal = { reason: "PAYLOAD_TOO_LARGE", detail: "too large" };
  const fits = (each: FrameMember) => encodeFrame({ qos: 1, members: [each] }).length <= maxPayloadBytes;

  test("a small one is one part with all of it", () => {
    const small = member({ contentType: "text/plain" });
    expect(refusedMembers(small, refusal)).toEqual([{ ...small, refusal: { ...refusal, part: 0, parts: 1 } }]);
  });

  test("256 KiB that do not compress are parts that each fit into a publish", () => {
    const payload = randomBytes(maxRelayPayloadBytes);
    const members = refusedMembers(member({ payload, userProperties: pairs(8) }), refusal);
    expect(members.map((each) => each.refusal?.part)).toEqual([0, 1, 2]);
    expect(members.every(fits)).toBe(true);
    expect(Buffer.concat(members.map((each) => each.payload)).equals(payload)).toBe(true);
    expect(members.every((each) => each.refusal?.detail === "too large")).toBe(true);
  });

  test("of what is larger than a dead letter the begin is kept, and it says so", () => {
    const members = refusedMembers(member({ payload: Buffer.alloc(300_000) }), refusal);
    expect(members.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(maxRelayPayloadBytes);
    expect(members[0]?.refusal?.detail).toBe("too large; the first 262144 of 300000 bytes are kept");
  });

  test("topic and properties that would fill a frame are left out, the payload is not", () => {
    const payload = randomBytes(maxRelayPayloadBytes);
    const large = member({ payload, topic: "t".repeat(65_535), userProperties: pairs(60), contentType: "x/y" });
    const members = refusedMembers(large, refusal);
    expect(members.every(fits)).toBe(true);
    expect(members[0]).toMatchObject({ id: large.id, topic: "t".repeat(1_024) });
    expect(members[0]).not.toHaveProperty("userProperties");
    expect(members[0]?.refusal?.detail).toContain("its properties are left out");
    expect(Buffer.concat(members.map((each) => each.payload)).equals(payload)).toBe(true);
  });
});
