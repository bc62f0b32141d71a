import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";
import { FIELDS } from "./statements.ts";

/** Numbers as JSON spells them, digits that a double loses among them. */
const NUMBERS = [
  ...["0", "-0", "1", "-7", "2.5", "1.0", "1e3", "1e-7", "0.1", "12345678901234567890", "9007199254740993"],
  ...["1E999", "1e1000", "-1e-999", "0.10000000000000001", "1700000000000", "9000000000000000", "4e15"],
] as const;
const TEXTS = [
  ...[
    "",
    "abc",
    "12",
    "1.5",
    "true",
    "aGVsbG8=",
    "!!!!",
    "é😀",
    "\ud800",
    "a\u0000b",
    "2015-12-18 09:30",
    " x ",
    "$1\\",
  ],
  ...["^(a|a)*$", "(x+x+)+y", "a*b|a", "(?:a?){50}a{50}", "[", "(?i)[\\pL\\pN]", "(.*)(.*)(.*)=", "\\b", "a{1000}"],
  ...[
    "yyyy-MM-dd'T'HH:mm:ss.SSSZZ",
    "EEE, d MMM yyyy [h:mm a] VV",
    "America/Belize",
    "+05:30",
    "toString",
    "content_type",
  ],
] as const;
const UNITS = ["a", "ab", " ", "\n", "x", "0", "é", '"', "\\", "€", "lorem ipsum "] as const;
const LONGEST = 60_000;

/** Mostly an object with the fields that the statements name; sometimes no JSON at all. */
export function randomPayload(random: Random): Buffer {
  if (random.happens(0.03)) return Buffer.from(random.list(40, () => random.below(256)));
  if (random.happens(0.1))
    return Buffer.from(JSON.stringify({ s: longText(random, 0.5), p: pattern(random, 4), t: longText(random, 0) }));
  const json = random.happens(0.95) ? object(random, 3) : value(random, 4);
  if (random.happens(0.01)) return Buffer.from(`${"[".repeat(2_000)}${json}`);
  return Buffer.from(random.happens(0.03) ? json.slice(0, random.below(json.length)) : json);
}

function value(random: Random, depth: number): string {
  if (depth === 0) return scalar(random);
  const choice = random.below(6);
  if (choice === 0) return `[${random.list(4, () => value(random, depth - 1)).join(",")}]`;
  if (choice === 1) return `[${random.list(20, () => object(random, depth - 1)).join(",")}]`;
  return choice === 2 ? object(random, depth - 1) : scalar(random);
}

function object(random: Random, depth: number): string {
  const members = random.list(FIELDS.length, () => {
    const key = random.happens(0.95) ? random.pick(FIELDS) : random.pick(["__proto__", "constructor", "", "my key"]);
    return `${JSON.stringify(key)}:${value(random, Math.max(depth - 1, 0))}`;
  });
  return `{${members.join(random.happens(0.5) ? "," : " , ")}}`;
}

function scalar(random: Random): string {
  const choice = random.below(10);
  if (choice < 4) return random.pick(NUMBERS);
  if (choice === 4) return random.pick(["true", "false", "null"]);
  return JSON.stringify(choice < 9 ? random.pick(TEXTS) : longText(random, 0.02));
}

const ATOMS = ["a", "b", "x", ".", "[ab]", "[^a]", "\\pL", "\\w", "\\b", "^", "$", "(?i)", ""] as const;
const QUANTIFIERS = ["", "", "*", "+", "?", "*?", "{3}", "{0,20}", "{50}", "{1000}"] as const;

/** A regular expression, the kind that stalls one engine or another among them. */
function pattern(random: Random, depth: number): string {
  if (depth === 0) return random.pick(ATOMS);
  const inner = () => pattern(random, depth - 1);
  const group = random.pick([() => inner(), () => `(${inner()}|${inner()})`, () => `(?:${inner()}${inner()})`])();
  return group + random.pick(QUANTIFIERS) + (random.happens(0.3) ? inner() : "");
}

/** Seldom as long as messages get: most evaluations are to be many. */
function longText(random: Random, probability: number): string {
  const length = random.happens(probability) ? random.below(LONGEST) : random.below(200);
  const unit = random.pick(UNITS);
  return unit.repeat(Math.ceil(length / unit.length)) + random.pick(["", "!", "b"]);
}
