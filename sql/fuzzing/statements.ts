import { findFunction, functionNames } from "../functions/table.ts";
import type { Random } from "./random.ts";

/** Fields of the payloads. */
export const FIELDS = ["a", "b", "s", "n", "p", "arr", "e", "o", "t", "value"] as const;

const OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "AND", "OR", "IN"] as const;
const LITERALS = [
  ...["0", "1", "7", "1.5", "1E400", "0.1", "9007199254740993", "12345678901234567890123456789012345", "1e-999"],
  ...[
    "''",
    "'abc'",
    '"it\'s"',
    "'12'",
    "'1e5'",
    "'true'",
    "'😀é'",
    "'base64'",
    "'a.b'",
    "'^(a|a)*$'",
    "'$1'",
    "'(a*)*b'",
  ],
  ...["'yyyy-MM-dd HH:mm:ss.SSS z'", "'Europe/Berlin'", "'enrichArray'", "true", "false", "null", "NULL"],
] as const;
const TYPES = ["String", "Int", "Decimal", "Boolean", "Double", "text"] as const;
const FILTERS = ["'a/b'", "'a/+'", "'#'", "'+/#'"] as const;
const REGEXP_NAMES = ["regexp_matches", "regexp_replace", "regexp_substr"] as const;
const NAMES = functionNames() as [string, ...string[]];

/** A statement of the grammar; one in five is damaged. */
export function randomStatement(random: Random): string {
  const statement = new StatementMaker(random).statement();
  return random.happens(0.2) ? damage(statement, random) : statement;
}

class StatementMaker {
  readonly #random: Random;
  #variables = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  statement(): string {
    const random = this.#random;
    const assignments: string[] = [];
    for (let left = random.happens(0.2) ? random.below(6) : 0; left > 0; left -= 1) {
      assignments.push(`@v${this.#variables} = ${this.#expression(3)}`);
      this.#variables += 1;
    }
    const set = assignments.length === 0 ? "" : `SET ${assignments.join(", ")} `;
    const from = random.happens(0.9) ? ` FROM ${random.pick(FILTERS)}` : "";
    return `${set}SELECT ${this.#list(5)}${from}${this.#where(0.3, 3)}`;
  }

  #list(depth: number): string {
    const random = this.#random;
    if (random.happens(0.3)) return `VALUE ${this.#expression(depth)}`;
    return [this.#item(depth), ...random.list(3, () => this.#item(depth))].join(", ");
  }

  #item(depth: number): string {
    const random = this.#random;
    if (random.happens(0.15)) return "*";
    const alias = random.pick(["x", "y", "x.y", "x.y.z", "__proto__", "from"]);
    return random.happens(0.1) ? random.pick(FIELDS) : `${this.#expression(depth)} AS ${alias}`;
  }

  #where(probability: number, depth: number): string {
    return this.#random.happens(probability) ? ` WHERE ${this.#expression(depth)}` : "";
  }

  #expression(depth: number): string {
    const random = this.#random;
    if (depth === 0 || random.happens(0.2)) return this.#leaf();
    const inner = () => this.#expression(depth - 1);
    return random.pick([
      () => `${inner()} ${random.pick(OPERATORS)} ${inner()}`,
      () => `(${inner()} ${random.pick(OPERATORS)} ${inner()})`,
      () => this.#call(inner),
      () => this.#call(inner),
      () => this.#call(inner),
      () => `${random.pick(["NOT ", "-"])}${inner()}`,
      () => `[${random.list(4, inner).join(", ")}]`,
      () => `{${random.list(3, () => `'${random.pick(FIELDS)}': ${inner()}`).join(", ")}}`,
      () => `CASE ${inner()} WHEN ${inner()} THEN ${inner()}${random.happens(0.5) ? ` ELSE ${inner()}` : ""} END`,
      () => `cast(${inner()} AS ${random.pick(TYPES)})`,
      () => `(SELECT ${this.#list(depth - 1)} FROM ${random.pick(FIELDS)}${this.#where(0.5, depth - 1)})`,
      () => `EXISTS (SELECT ${this.#list(depth - 1)} FROM ${random.pick(FIELDS)} AS r${this.#where(0.5, depth - 1)})`,
      () => `get(${inner()}, ${inner()}).a`,
    ])();
  }

  /** Mostly with as many arguments as it takes. */
  #call(inner: () => string): string {
    const random = this.#random;
    const name = random.happens(0.1) ? random.pick(REGEXP_NAMES) : random.pick(NAMES);
    if (name === "encode") return `encode(${random.happens(0.3) ? "*" : inner()}, 'base64')`;
    if (name === "decode") return `decode(${inner()}, 'base64')`;
    const [minimum, maximum] = findFunction(name)?.arity ?? [0, 0];
    const usual = minimum + random.below(Math.min(maximum - minimum, 3) + 1);
    if (name.startsWith("regexp") && random.happens(0.7)) return `${name}(s, p${maximum === 3 ? `, ${inner()}` : ""})`;
    const count = random.happens(0.98) ? usual : random.below(4);
    return `${name}(${Array.from({ length: count }, inner).join(", ")})`;
  }

  #leaf(): string {
    const random = this.#random;
    if (this.#variables > 0 && random.happens(0.2)) return `@v${random.below(this.#variables)}`;
    if (random.happens(0.5)) return random.pick(LITERALS);
    return random.happens(0.2) ? `${random.pick(FIELDS)}.${random.pick(FIELDS)}` : random.pick(FIELDS);
  }
}

const FRAGMENTS = [
  "(",
  ")",
  "'",
  '"',
  "@",
  ",",
  ".",
  "SELECT ",
  "FROM ",
  "\0",
  "!",
  "😀",
  "1e",
  "[",
  "}",
  "((((",
  "\\",
  "--",
] as const;

/** Removes, repeats or inserts a part. */
function damage(statement: string, random: Random): string {
  const start = random.below(statement.length + 1);
  const end = start + random.below(12);
  const part = random.pick(["", random.pick(FRAGMENTS), statement.slice(start, end).repeat(2)]);
  return statement.slice(0, start) + part + statement.slice(random.happens(0.5) ? start : end);
}
