import { expect, test } from "vitest";
import { MalformedPacket, PacketSplitter, type Verdict } from "./packet-splitter.ts";

/** Packets with payloads of these sizes, of types 3 and 4 in turn; remaining lengths of one to three bytes. */
const sizes = [2, 0, 127, 128, 5, 16_384, 300, 1];
const packets = sizes.map((size, index) => {
  const length = [size];
  for (let last = size; last >= 128; last = length.at(-1) ?? 0) {
    length.splice(-1, 1, (last % 128) + 128, Math.floor(last / 128));
  }
  return Buffer.concat([Buffer.from([index % 2 === 0 ? 0x30 : 0x40, ...length]), Buffer.alloc(size, index)]);
});
const stream = Buffer.concat(packets);

test.for([1, 2, 3, 7, 100, 1_000, stream.length])("cuts a stream that comes in pieces of %d bytes", (piece) => {
  const seen: Buffer[] = [];
  const judge = ({ buffer, start, end }: { buffer: Buffer; start: number; end: number }): Verdict => {
    seen.push(Buffer.from(buffer.subarray(start, end)));
    return "pass";
  };
  expect(pushed(piece, judge)).toEqual(stream);
  expect(seen).toEqual(packets);
});

test.for([1, 50, stream.length])("leaves out and replaces packets, in pieces of %d bytes", (piece) => {
  const passed = pushed(piece, ({ type, body, end }) => {
    if (type === 3) return "drop";
    return end - body === 128 ? Buffer.from("replaced") : "pass";
  });
  const wanted = packets.flatMap((packet, index) => {
    if (index % 2 === 0) return [];
    return sizes[index] === 128 ? [Buffer.from("replaced")] : [packet];
  });
  expect(passed).toEqual(Buffer.concat(wanted));
});

test("neighbours that pass stay one piece, and nothing is read after the stop", () => {
  const splitter = new PacketSplitter();
  const two = Buffer.from([0xc0, 0, 0xd0, 0, 0xe0, 0, 0xc0, 0]);
  const passed = splitter.push(two, ({ type }) => (type === 14 ? "stop" : "pass"));
  expect(passed).toEqual([Buffer.from([0xc0, 0, 0xd0, 0])]);
  expect(splitter.push(two, () => "pass")).toEqual([]);
});

test("a remaining length of five bytes is none", () => {
  const splitter = new PacketSplitter();
  expect(() => splitter.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), () => "pass")).toThrow(MalformedPacket);
});

function pushed(piece: number, judge: Parameters<PacketSplitter["push"]>[1]): Buffer {
  const splitter = new PacketSplitter();
  const passed: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += piece)
    passed.push(...splitter.push(stream.subarray(at, at + piece), judge));
  return Buffer.concat(passed);
}
