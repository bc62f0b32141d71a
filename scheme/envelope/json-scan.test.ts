import { Buffer, isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonTestFiles } from "../fixtures/json-test-suite.ts";
import { MessageError, type ReasonCode } from "../message-error.ts";
import { jsonText } from "./arbitrary-json.ts";
import { maxNestingLevels, scanObject, scanValue, skipSpace } from "./json-scan.ts";

/** Whether the scanner takes the whole text for one JSON value; what it throws is never anything but a refusal. */
function accepts(text: string | Uint8Array): boolean {
  const bytes = Buffer.from(text);
  try {
    return skipSpace(bytes, scanValue(bytes, skipSpace(bytes, 0))) === bytes.length;
  } catch (error) {
    if (error instanceof MessageError && error.code === "ENVELOPE_NOT_JSON") return false;
    throw error;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Every text of up to `length` of the characters. */
function* texts(characters: string, length: number): Generator<string> {
  yield "";
  if (length === 0) return;
  for (const rest of texts(characters, length - 1)) for (const character of characters) yield character + rest;
}

test.for([
  ["{}", 2],
  ["[[],{}] ,", 7], // ends with the value, whatever follows
  ["-0.5e+10,", 8],
  ["0123", 1], // no number begins with two digits of which one is 0: the rest is the caller's to refuse
  ['"\\"\\\\" ', 6],
  ['{"a":1,"a":2}', 13], // repeated keys are the reader's business
  ["1e400", 5],
  ["12345678901234567890", 20],
  ['"\\ud800"', 8],
  ["nullnull", 4],
] as const)("the value in %s ends at %i", ([text, end]) => {
  expect(scanValue(Buffer.from(text), 0)).toBe(end);
});

test.for([
  ["", "a value expected at byte 0, found the end"],
  ["NaN", "a value expected at byte 0, found 0x4e (N)"],
  ["\ufeff{}", "a value expected at byte 0, found 0xef"], // byte-order mark
  ["nul", "'null' expected at byte 3, found the end"],
  ["[1,]", "a value expected at byte 3, found 0x5d (])"],
  ["[1 2]", "',' or ']' expected at byte 3, found 0x32 (2)"],
  ['{"a" 1}', "':' expected at byte 5, found 0x31 (1)"],
  ['{"a":1,}', "a string expected at byte 7, found 0x7d (})"],
  ["[1}", "',' or ']' expected at byte 2, found 0x7d (})"],
  ['{"a":1]', "',' or '}' expected at byte 6, found 0x5d (])"],
  ["-", "a digit expected at byte 1, found the end"],
  ["1.e1", "a digit expected at byte 2, found 0x65 (e)"],
  ['"a\tb"', "the string's next character expected at byte 2, found 0x09"],
  ['"\\x"', "an escape expected at byte 2, found 0x78 (x)"],
  ['"\\u00G0"', "a hexadecimal digit expected at byte 5, found 0x47 (G)"],
] as const)("%j is no JSON", ([text, message]) => {
  expect(() => scanValue(Buffer.from(text), 0)).toThrow(
    expect.objectContaining({ code: "ENVELOPE_NOT_JSON" satisfies ReasonCode, message: `not JSON: ${message}` }),
  );
});

test("lists an object's members as they stand", () => {
  const text = ' { "a" : [1] , "\\u0061":{}}!';
  const { members, end } = scanObject(Buffer.from(text), 1);
  expect(members.map((member) => text.slice(member.key, member.keyEnd))).toEqual(['"a"', '"\\u0061"']);
  expect(members.map((member) => text.slice(member.value, member.valueEnd))).toEqual(["[1]", "{}"]);
  expect(text.slice(end)).toBe("!");
});

describe("nesting", () => {
  test.for([
    ["[", "]", maxNestingLevels],
    ['{"a":', "}", maxNestingLevels],
    ['[{"":', "}]", maxNestingLevels / 2], // two levels each
  ] as const)("of %s%s has a limit and no stack", ([open, close, levels]) => {
    const nested = (depth: number): Buffer => Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`);
    expect(scanValue(nested(levels), 0)).toBe(nested(levels).length);
    const tooDeep = expect.objectContaining({ code: "ENVELOPE_TOO_DEEP" satisfies ReasonCode });
    expect(() => scanValue(nested(levels + 1), 0)).toThrow(tooDeep);
    expect(() => scanValue(Buffer.from(open.repeat(1_000_000)), 0)).toThrow(tooDeep);
  });

  test("counts the open arrays and objects only", () => {
    const text = `[${"[{}],".repeat(50_000)}1]`;
    expect(scanValue(Buffer.from(text), 0)).toBe(text.length);
  });

  test("of a refused value leaves nothing behind", () => {
    expect(() => scanValue(Buffer.from("[[[["), 0)).toThrow(MessageError);
    expect(scanValue(Buffer.from("[]"), 0)).toBe(2);
  });
});

describe("agrees with JSON.parse", () => {
  test.for([
    ["short texts", "", '{}[]":,-.eE01 u\\n', 4, ""],
    ["numbers", "", "-+.eE019", 5, ""],
    ["escapes", '"\\', 'u0fG"\\n', 5, '"'],
  ] as const)("on all %s", ([, before, characters, length, after]) => {
    for (const middle of texts(characters, length)) {
      const text = before + middle + after;
      if (accepts(text) !== parses(text)) expect.fail(JSON.stringify(text));
    }
  });

  test("on any JSON text, and on any change of one byte in it", () => {
    fc.assert(
      fc.property(jsonText, fc.nat(), fc.nat(255), (text, position, byte) => {
        expect(accepts(text)).toBe(true);
        const bytes = Buffer.from(text);
        bytes[position % bytes.length] = byte;
        if (isUtf8(bytes)) expect(accepts(bytes)).toBe(parses(bytes.toString()));
      }),
      { numRuns: 1_000 },
    );
  });

  test("on any row of tokens", () => {
    const token = fc.constantFrom(..."{}[],: ", '"a"', '"a":', "1", "-1.5e3", "true", "nul", "[]", "{}", "\n", '"\\"');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        expect(accepts(tokens.join(""))).toBe(parses(tokens.join("")));
      }),
      { numRuns: 5_000 },
    );
  });
});

test("accepts what every reader of JSON must accept", () => {
  const files = jsonTestFiles("y_");
  expect(files).toHaveLength(95);
  for (const { name, bytes } of files) expect(accepts(bytes), name).toBe(true);
});
