import fc from "fast-check";
import { expect, test } from "vitest";
import type { Expression, Select, StatementNode, Subselect } from "./ast.ts";
import { BINDING_POWER } from "./binding-power.ts";
import { numberOf } from "./decimal.ts";
import { parseStatement } from "./parser.ts";
import { print } from "./print.ts";
import { KEYWORDS } from "./token.ts";

test.for([
  ["select  a ,b from 'x' where a=1", "SELECT a, b FROM 'x' WHERE a = 1"],
  ["SELECT (a + b) * c - (d - e) AS v", "SELECT (a + b) * c - (d - e) AS v"],
  ["SELECT ((a * b) + c) AS v", "SELECT a * b + c AS v"],
  ["SELECT NOT (a AND b), - (- (c)), (NOT a) = b", "SELECT NOT (a AND b), --c, (NOT a) = b"],
  ["SELECT (value) - 1 AS v", "SELECT (value - 1) AS v"], // or it would be SELECT VALUE -1
  ["SELECT VALUE -1", "SELECT VALUE -1"],
  ["SELECT (value(1)) AS v", "SELECT (value(1)) AS v"],
  [`SELECT "it's" AS v, 'say "hi"' AS w`, `SELECT "it's" AS v, 'say "hi"' AS w`],
  ["SELECT (1).x, 'a'.x, (a + b).x", "SELECT (1).x, 'a'.x, (a + b).x"],
  ["SELECT 1E400 AS v, 1.50 AS w, 1e-7 AS x", "SELECT 1E+400 AS v, 1.5 AS w, 1E-7 AS x"],
  ["set @a=1,@b=@a.x select *, @b as c.d", "SET @a = 1, @b = @a.x SELECT *, @b AS c.d"],
  [
    "SELECT CASE a WHEN 1 THEN {'k': [1, null]} ELSE cast(b AS Int) END AS v WHERE EXISTS (SELECT * FROM e AS e WHERE x IN y)",
    "SELECT CASE a WHEN 1 THEN {'k': [1, NULL]} ELSE cast(b AS Int) END AS v WHERE EXISTS (SELECT * FROM e AS e WHERE x IN y)",
  ],
] as const)("%s prints as %s", ([sql, printed]) => {
  expect(print(parseStatement(sql))).toBe(printed);
  expect(shape(parseStatement(printed))).toEqual(shape(parseStatement(sql)));
});

/** A tree without the places of its tokens. */
function shape(node: unknown): unknown {
  if (typeof node === "bigint") return String(node);
  if (Array.isArray(node)) return node.map(shape);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).filter(([key, value]) => key !== "index" && value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, shape(value)]));
}

const index = 0;
const word = fc
  .oneof(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/), fc.constantFrom("value", "Value", "é", "数"))
  .filter((text) => !(KEYWORDS as readonly string[]).includes(text.toUpperCase()));
/** Behind a point and AS a keyword is a word. */
const anyWord = fc.oneof(word, fc.constantFrom("end", "FROM", "select"));
const string = fc.string({ unit: "binary" }).filter((text) => !(text.includes("'") && text.includes('"')));
const number = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 34n }), fc.integer({ min: -60, max: 60 }))
  .map(([coefficient, exponent]) => numberOf(coefficient, exponent) ?? 0);
const name = word.map((text): Expression => ({ kind: "name", index, name: text }));
const variable = fc
  .stringMatching(/^[A-Za-z0-9_]{1,5}$/)
  .map((text): Expression => ({ kind: "variable", index, name: text }));
const literal = fc
  .oneof(string, number, fc.boolean(), fc.constant(null))
  .map((value): Expression => ({ kind: "literal", index, value }));

type Trees = { expression: Expression; path: Expression; call: Expression; select: Select; subselect: Subselect };

const trees = fc.letrec<Trees>((tie) => {
  const member = (object: fc.Arbitrary<Expression>) =>
    fc.record({ kind: fc.constant("member" as const), index: fc.constant(0), object, name: anyWord });
  const optional = fc.option(tie("expression"), { nil: undefined });
  const list = fc.array(tie("expression"), { maxLength: 3 });
  const column = fc.record({
    kind: fc.constant("column" as const),
    index: fc.constant(0),
    expression: tie("expression"),
    alias: fc.option(fc.array(anyWord, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  });
  const item = fc.oneof({ weight: 5, arbitrary: column }, fc.constant({ kind: "all" as const, index: 0 }));
  const alias = fc.option(word, { nil: undefined });
  const source = fc.oneof(
    fc.constant(undefined),
    fc
      .constantFrom("a/+", "#", "a", "it's")
      .map((topicFilter) => ({ kind: "topicFilter" as const, index, topicFilter })),
  );
  const parts = {
    kind: fc.constant("select" as const),
    index: fc.constant(0),
    isValue: fc.boolean(),
    items: fc.array(item, { minLength: 1, maxLength: 3 }),
    where: optional,
  };
  return {
    select: fc.record({ ...parts, source }),
    subselect: fc.record({
      ...parts,
      source: tie("path").chain((path) => alias.map((text) => ({ kind: "path" as const, index, path, alias: text }))),
    }),
    call: fc
      .tuple(word, list)
      .filter(([text]) => text.toLowerCase() !== "cast")
      .map(([text, args]): Expression => ({ kind: "call", index, name: text, arguments: args })),
    path: fc.oneof({ maxDepth: 2 }, name, variable, member(tie("path")), tie("call")),
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      literal,
      name,
      variable,
      member(tie("expression")),
      tie("call"),
      list.map((items): Expression => ({ kind: "array", index, items })),
      fc
        .array(fc.record({ key: string, value: tie("expression") }), { maxLength: 2 })
        .map((members): Expression => ({ kind: "object", index, members })),
      fc
        .tuple(fc.constantFrom("-" as const, "NOT" as const), tie("expression"))
        .map(([operator, operand]): Expression => ({ kind: "unary", index, operator, operand })),
      fc
        .tuple(
          fc.constantFrom(...(Object.keys(BINDING_POWER) as (keyof typeof BINDING_POWER)[])),
          tie("expression"),
          tie("expression"),
        )
        .map(([operator, left, right]): Expression => ({ kind: "binary", index, operator, left, right })),
      fc
        .tuple(
          tie("expression"),
          fc.array(fc.record({ when: tie("expression"), result: tie("expression") }), { minLength: 1, maxLength: 2 }),
          optional,
        )
        .map(([subject, branches, otherwise]): Expression => ({ kind: "case", index, subject, branches, otherwise })),
      fc.tuple(tie("expression"), word).map(([operand, type]): Expression => ({ kind: "cast", index, operand, type })),
      tie("subselect").map((select): Expression => ({ kind: "exists", index, select })),
      tie("subselect").map((select): Expression => ({ kind: "subselect", index, select })),
      fc.tuple(word, list).map(
        ([text, args]): Expression => ({
          kind: "call",
          index,
          name: text.toLowerCase() === "cast" ? "get" : text,
          arguments: [{ kind: "star", index }, ...args],
        }),
      ),
    ),
  };
});

const statement: fc.Arbitrary<StatementNode> = fc.record({
  assignments: fc.array(
    fc.record({ index: fc.constant(0), name: fc.stringMatching(/^[A-Za-z0-9_]{1,5}$/), value: trees.expression }),
    { maxLength: 2 },
  ),
  select: trees.select,
});

test("parsing what was printed gives the same tree", () => {
  fc.assert(
    fc.property(statement, (tree) => {
      const printed = print(tree);
      expect(shape(parseStatement(printed))).toEqual(shape(tree));
      expect(print(parseStatement(printed))).toBe(printed);
    }),
    { numRuns: 3000, seed: 5 },
  );
});
