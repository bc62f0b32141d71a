import { expect, test } from "vitest";
import { fromStored, toStored } from "./stored-bytes.ts";

test.for([
  ["text", "Grüße 👋"],
  ["nothing", ""],
  ["a byte order mark", "\ufeff{}"], // part of what the device sent
  ["control characters", "\0\u001f"],
] as const)("keeps %s as a string", ([, text]) => {
  const bytes = new TextEncoder().encode(text);
  expect(toStored(bytes)).toBe(text);
  expect(fromStored(toStored(bytes))).toEqual(bytes);
});

test.for([
  [0xff, 0xfe],
  [0xc3], // begins a character
  [0xed, 0xa0, 0x80], // a surrogate
])("keeps %j as binary", (values) => {
  const bytes = Uint8Array.from(values);
  expect(toStored(bytes)).toBe(bytes);
  expect(fromStored(toStored(bytes))).toEqual(bytes);
});

test("leaves a character out that a cut has split", () => {
  const bytes = new TextEncoder().encode("né");
  expect(toStored(bytes.subarray(0, 2), { isCut: true })).toBe("n");
  expect(toStored(bytes, { isCut: true })).toBe("né"); // with nothing left of the one before
  expect(toStored(Uint8Array.of(0xff, 0xc3), { isCut: true })).toEqual(Uint8Array.of(0xff, 0xc3));
  expect(toStored(bytes)).toBe("né");
});
