import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksum } from "./checksum.ts";
import { decodeFrame } from "./decode.ts";
import { encodeFrame, memberBytes } from "./encode.ts";
import { type FrameMember, frameHeaderBytes, maxFrameMembers, maxUnpackedBytes } from "./frame.ts";
import { FrameError, type FrameErrorCode } from "./frame-error.ts";

const text = fc.string({ unit: "binary", maxLength: 40 }).map((each) => each.toWellFormed());
const bytes = fc.uint8Array({ maxLength: 200 });

const anyMember = fc
  .record(
    {
      id: fc.uuid(),
      receivedAt: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      topic: text,
      payload: bytes,
      userProperties: fc.array(fc.tuple(text, text), { maxLength: 5 }),
      contentType: text,
      payloadFormat: fc.constantFrom("UTF8_DATA" as const, "UNSPECIFIED_BYTES" as const),
      responseTopic: text,
      correlationData: bytes,
      refusal: fc.record({ reason: text, detail: text, part: fc.constantFrom(0, 1), parts: fc.constantFrom(2, 255) }),
    },
    { requiredKeys: ["id", "receivedAt", "topic", "payload"] },
  )
  .map((member): FrameMember => member);

const anyFrame = fc.record({
  qos: fc.constantFrom(0 as const, 1 as const),
  members: fc.array(anyMember, { minLength: 1, maxLength: 12 }),
});

/** With its bytes as plain ones, which compare. */
function plain(member: FrameMember): FrameMember {
  const { payload, correlationData, ...rest } = member;
  return {
    ...rest,
    payload: Uint8Array.from(payload),
    ...(correlationData === undefined ? {} : { correlationData: Uint8Array.from(correlationData) }),
  };
}

function member(more: Partial<FrameMember> = {}): FrameMember {
  return { id: randomUUID(), receivedAt: 1_772_366_400_000, topic: "v1/d/d42/up", payload: Buffer.from("{}"), ...more };
}

function codeOf(run: () => unknown): FrameErrorCode | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
  return undefined;
}

/** A frame's header before a body that nobody wrote. */
function framed(body: Buffer, { version = 1, flags = 0, isTrue = true } = {}): Buffer {
  const header = Buffer.from([0x54, 0x46, version, flags, 0, 0, 0, 0]);
  header.writeUInt32BE((checksum(header, body) ^ (isTrue ? 0 : 1)) >>> 0, 4);
  return Buffer.concat([header, (flags & 1) === 0 ? body : deflateRawSync(body)]);
}

test("a frame gives back what was put into it", () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const decoded = decodeFrame(encodeFrame(frame));
      expect({ qos: decoded.qos, members: decoded.members.map(plain) }).toEqual({
        qos: frame.qos,
        members: frame.members.map(plain),
      });
    }),
  );
});

test("a member takes the bytes that were counted for it", () => {
  fc.assert(
    fc.property(anyMember, (each) => {
      const stored = randomBytes(1_000); // nothing that a compressor could shorten, so that the frame is not
      const frame = encodeFrame({ qos: 1, members: [each, member({ payload: stored })] });
      const whole = frameHeaderBytes + memberBytes(each) + memberBytes(member({ payload: stored }));
      expect(frame.length).toBeLessThanOrEqual(whole);
    }),
  );
  const only = member({ payload: randomBytes(1_000), topic: "t" });
  expect(encodeFrame({ qos: 0, members: [only] }).length).toBe(frameHeaderBytes + memberBytes(only));
});

test("a frame of a hundred positions is compressed to a part of them", () => {
  const members = Array.from({ length: 100 }, (_, n) =>
    member({ payload: Buffer.from(JSON.stringify({ header: {}, body: { lat: 52.5 + n / 1e4, lon: 13.4, n } })) }),
  );
  const size = members.reduce((sum, each) => sum + memberBytes(each), 0);
  expect(encodeFrame({ qos: 1, members }).length).toBeLessThan(size / 2);
});

test("a frame that is cut anywhere is refused", () => {
  const whole = encodeFrame({ qos: 1, members: [member(), member({ contentType: "text/plain" })] });
  for (let length = 0; length < whole.length; length += 1) {
    expect(codeOf(() => decodeFrame(whole.subarray(0, length)))).toMatch(/^FRAME_(NOT_ONE|CORRUPT|EMPTY)$/);
  }
});

test("a frame with any byte changed is refused", () => {
  const whole = encodeFrame({ qos: 1, members: [member({ payload: randomBytes(300) })] });
  for (let index = 0; index < whole.length; index += 1) {
    const changed = Buffer.from(whole);
    changed[index] = (changed[index] ?? 0) ^ 0x02;
    expect(
      codeOf(() => decodeFrame(changed)),
      `byte ${index}`,
    ).toMatch(/^FRAME_/);
  }
});

test("garbage is refused, with a good header before it too", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 0, max: 255 }), (garbage, flags) => {
      const body = Buffer.from(garbage);
      for (const frame of [body, framed(body), framed(body, { flags: flags & 3 }), framed(body, { flags })]) {
        const code = codeOf(() => decodeFrame(frame));
        if (code !== undefined) expect(code).toMatch(/^FRAME_/);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe("what is refused", () => {
  test.for([
    ["FRAME_NOT_ONE", Buffer.from('{"header":{},"body":1}')],
    ["FRAME_VERSION", framed(Buffer.from("x"), { version: 2 })],
    ["FRAME_VERSION", framed(Buffer.from("x"), { flags: 4 })],
    ["FRAME_VERSION", framed(Buffer.from([0x80, 0x00]))], // a member's flag
    ["FRAME_CORRUPT", framed(Buffer.from([0x00, 0x03]))], // UTF-8 and not
    ["FRAME_CORRUPT", framed(Buffer.from("x"), { isTrue: false })],
    ["FRAME_EMPTY", framed(Buffer.alloc(0))],
    // Bombs: 1 KiB that unpack to 1 MiB and a byte, and 100 MiB that are stopped at 1 MiB.
    ["FRAME_TOO_LARGE", framed(Buffer.alloc(maxUnpackedBytes + 1), { flags: 1 })],
    ["FRAME_TOO_LARGE", framed(Buffer.alloc(100 * maxUnpackedBytes), { flags: 1 })],
    ["FRAME_TOO_LARGE", framed(Buffer.alloc(maxUnpackedBytes + 1))],
  ] as const)("%s", ([code, frame]) => {
    expect(codeOf(() => decodeFrame(frame))).toBe(code);
  });

  test("more members than a frame may have, in both directions", () => {
    const members = Array.from({ length: maxFrameMembers }, () => member());
    const whole = encodeFrame({ qos: 1, members });
    expect(decodeFrame(whole).members).toHaveLength(maxFrameMembers);
    expect(codeOf(() => encodeFrame({ qos: 1, members: [...members, member()] }))).toBe("FRAME_TOO_LARGE");
    const tiny = Buffer.alloc((maxFrameMembers + 1) * 30); // as many members without topic and payload
    expect(codeOf(() => decodeFrame(framed(tiny)))).toBe("FRAME_TOO_LARGE");
  });

  test("members that do not make a frame", () => {
    expect(codeOf(() => encodeFrame({ qos: 1, members: [] }))).toBe("FRAME_EMPTY");
    const large = member({ payload: Buffer.alloc(maxUnpackedBytes) });
    expect(codeOf(() => encodeFrame({ qos: 1, members: [large] }))).toBe("FRAME_TOO_LARGE");
    expect(codeOf(() => encodeFrame({ qos: 1, members: [member({ id: "x" })] }))).toBe("FRAME_CORRUPT");
    const long = member({ contentType: "x".repeat(65_536) });
    expect(codeOf(() => encodeFrame({ qos: 1, members: [long] }))).toBe("FRAME_CORRUPT");
  });
});
