import { expect, test } from "vitest";
import { Decimal, exactly, parseNumber } from "./decimal.ts";

test.for([
  ["0", "0"],
  ["-0", "0"],
  ["1.50", "1.5"],
  ["10.0", "10"], // whole numbers are Ints
  ["9007199254740993", "9007199254740993"], // 2^53 + 1
  ["12345678901234567890", "12345678901234567890"],
  ["1234567890123456789012345678901234", "1234567890123456789012345678901234"], // 34 digits
  ["12345678901234567890123456789012345", "1.234567890123456789012345678901234E+34"], // 35: a tie goes to even
  ["0.1234567890123456789", "0.1234567890123456789"],
  ["-12.34567890123456789012", "-12.34567890123456789012"],
  ["1e400", "1E+400"],
  ["1.5e-400", "1.5E-400"],
  ["1e-1000", "0"], // below the smallest magnitude
  [`1${"0".repeat(500)}`, "1E+500"],
  [`${"9".repeat(200)}e-190`, "10000000000"],
  [`1234567890123456789012345678901234.5${"0".repeat(200)}`, "1234567890123456789012345678901234"], // a tie
  [`1234567890123456789012345678901234.5${"0".repeat(200)}1`, "1234567890123456789012345678901235"], // beyond it
  [`-0.${"0".repeat(200)}25`, "-2.5E-201"],
  [`-${"0".repeat(200)}`, "0"],
] as const)("%s prints as %s", ([text, printed]) => {
  const number = parseNumber(text);
  expect(number instanceof Decimal ? number.toString() : exactly(number ?? Number.NaN).toString()).toBe(printed);
});

test.for(["1e1000", "99e999999999"])("%s is outside the range", (text) => {
  expect(parseNumber(text)).toBeUndefined();
});

test.for([
  ["1.5", "number"],
  ["0.1", "number"],
  ["9007199254740992", "number"],
  ["1e300", "number"],
  ["9007199254740993", "object"], // a double would print …992
  ["0.10000000000000001", "object"], // a double would print 0.1
] as const)("%s is a %s", ([text, type]) => {
  expect(typeof parseNumber(text)).toBe(type);
});

test("JSON.stringify prints every digit", () => {
  expect(JSON.stringify({ n: [parseNumber("12345678901234567890")] })).toBe('{"n":[12345678901234567890]}');
});
