import fc from "fast-check";
import { maxNestingLevels } from "./json-scan.ts";

/** White space that may stand between two tokens. */
export const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });

const character = fc.constantFrom(
  ...["a", "Z", "0", " ", "/", "{", "]", ",", ":", "'", "\u007f", "é", "€", "😀", "\u2028", "\ufeff", "\ufffd"],
  ...['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u00E9", "\\ud83d\\uDE00"],
  ...["\\ud800", "\\uDC00", "\\ude00\\ud83d"], // lone surrogates
);

/** The text of a JSON string. */
export const stringText = fc.array(character, { maxLength: 12 }).map((characters) => `"${characters.join("")}"`);

const number = fc.oneof(
  fc.constantFrom("0", "-0", "1.0", "1.10", "1e400", "-1E-400", "0.1e+05", "9007199254740993", "12345678901234567890"),
  fc.bigInt().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

/** Few keys, so that they meet. */
const key = fc.oneof(fc.constantFrom('"a"', '"\\u0061"', '"header"', '"body"', '"__proto__"', '""'), stringText);

const scalar = fc.oneof(fc.constantFrom("true", "false", "null"), number, stringText);

const deep = fc
  .tuple(fc.integer({ min: 1, max: maxNestingLevels }), fc.constantFrom(["[", "]"], ['{"a":', "}"]), scalar)
  .map(([depth, [open = "", close = ""], leaf]) => open.repeat(depth) + leaf + close.repeat(depth));

const { value } = fc.letrec<{ value: string }>((tie) => {
  const item = fc.tuple(space, tie("value"), space).map((parts) => parts.join(""));
  const member = fc
    .tuple(space, key, space, item)
    .map(([before, name, after, text]) => `${before}${name}${after}:${text}`);
  return {
    value: fc.oneof(
      { maxDepth: 5, depthSize: "small" },
      scalar,
      fc.oneof(space, fc.array(item, { minLength: 1, maxLength: 6 })).map((items) => `[${items}]`),
      fc.oneof(space, fc.array(member, { minLength: 1, maxLength: 6 })).map((members) => `{${members}}`),
    ),
  };
});

/** Any JSON text that we carry, as odd as the grammar allows, without white space around it. */
export const jsonText = fc.oneof({ arbitrary: value, weight: 20 }, { arbitrary: deep, weight: 1 });
