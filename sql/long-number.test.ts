import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasLongNumber } from "./long-number.ts";

/** What it is to find, told without regard to time. */
const LONG = /[\d.]{16}|\de[+-]?\d{3}/i;

test.for([
  ['{"n":123456789012345}', false],
  ['{"n":1234567890123456}', true],
  ['{"n":0.12345678901234}', true],
  ["[1e100]", true],
  ["[1E-100]", true],
  ["[1e+99]", false],
  ['"2026-03-01T12:00:00.250Z"', false],
  ["", false],
] as const)("%s: %s", ([text, isLong]) => {
  expect(hasLongNumber(Buffer.from(text))).toBe(isLong);
});

test("overlooks none, wherever it stands", () => {
  const part = fc.constantFrom(
    "1",
    "23",
    "456",
    ".",
    "e",
    "E",
    "-",
    "+",
    ",",
    '"',
    "a",
    "[",
    "1234567890",
    "e100",
    "e-5",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join("");
      if (LONG.test(text)) expect(hasLongNumber(Buffer.from(text))).toBe(true);
    }),
    { numRuns: 5000, seed: 5 },
  );
});
