import { expect, test } from "vitest";
import { compileStatement } from "./compile.ts";
import { evaluateToJson, refusal } from "./testing.ts";
import { MAX_DEPTH } from "./token-reader.ts";

test.for([
  ["SELECT * FROM", 13, "a topic filter in quotes"],
  ["SELECT * FROM a/b", 14, "a topic filter in quotes"],
  ["SELECT * FROM 'a' LIMIT 1", 18, "WHERE or the end of the statement"],
  ["SELECT FROM 'a'", 7, "an expression"],
  ["SELECT a, FROM 'a'", 10, "an expression"],
  ["SELECT (a FROM 'a'", 10, ")"],
  ["SELECT [a b] AS c", 10, ", or ]"],
  ["SELECT {a: 1} AS c", 8, "a key in quotes"],
  ["SELECT cast(a Int) AS c", 14, "AS"],
  ["SELECT CASE a THEN 1 END AS c", 14, "WHEN"],
  ["SELECT CASE WHEN a = 1 THEN 1 END AS c", 12, "an expression"], // only CASE value WHEN …
  ["SELECT a AS 'b' FROM 'a'", 12, "an alias"],
  ["SELECT a. FROM 'a'", 15, "FROM, WHERE or the end of the statement"],
  ["SELECT a[0] FROM 'a'", 8, "get(array, index)"],
  ["SELECT 'abc FROM x", 7, "'"],
  ["SELECT * FROM 'a/#/b'", 14, "a topic filter"],
  ["SELECT a AS r FROM 'a/b' SET @a = 1", 25, "WHERE or the end of the statement"],
  ["SELECT VALUE a, b FROM 'a'", 16, "one item"],
  ["DROP TABLE x", 0, "SELECT"],
  ["", 0, "SELECT"],
] as const)("%s fails at %i", ([sql, index, expected]) => {
  expect(refusal(sql)).toMatchObject({ code: "SQL_SYNTAX", statement: sql, index, expected });
});

test("points at the place in the line", () => {
  expect(refusal("SELECT a,\n  b != 3 AS c FROM 'x'").message).toBe(
    "unexpected !, not equal is written <>\n    b != 3 AS c FROM 'x'\n      ^",
  );
});

test("shows only the neighbourhood of a long line", () => {
  const { message } = refusal(`SELECT ${"a, ".repeat(1000)}; FROM 'x'`);
  expect(Math.max(...message.split("\n").map((line) => line.length))).toBeLessThanOrEqual(102);
});

test.for([
  ["(", ")"],
  ["NOT ", ""],
  ["-", ""],
  ["[", "]"],
  ["{'a': ", "}"],
  ["abs(", ")"],
  ["CASE ", ""],
  ["(SELECT ", ")"],
  ["1 + ", ""], // not nested, but as deep when evaluated
  ["a.", ""],
] as const)("refuses 10,000 times %s", ([open, close]) => {
  const sql = `SELECT ${open.repeat(10_000)}1${close.repeat(10_000)} AS v`.replace(".1", ".b");
  expect(refusal(sql).code).toBe("SQL_TOO_DEEP");
});

test("evaluates what is just not too deep", () => {
  const depth = MAX_DEPTH - 1;
  expect(evaluateToJson(`SELECT ${"(".repeat(depth)}1${")".repeat(depth)} AS v`)).toBe('{"v":1}');
  expect(evaluateToJson(`SELECT ${"1 + ".repeat(depth)}1 AS v`)).toBe(`{"v":${depth + 1}}`);
});

test.for([
  ["SELECT value FROM 'a'", '{"value":1}'],
  ["SELECT value, other FROM 'a'", '{"value":1,"other":2}'],
  ["SELECT value AS v FROM 'a'", '{"v":1}'],
  ["SELECT VALUE value FROM 'a'", "1"],
  ["SELECT VALUE -1", "-1"],
  ["SELECT Value (1 + 1) * 2", "4"],
  ["select other as from from 'a'", '{"from":2}'], // behind AS a keyword is a word
  ["SELECT nested.end FROM 'a'", '{"end":3}'],
  ["SELECT get(*, 'value') AS v", '{"v":1}'],
  ["SELECT NOT value = 2 AS v", '{"v":true}'],
  ["SELECT 1 - 1 - 1 AS v", '{"v":-1}'], // from the left
  ["SELECT true OR false AND false AS v", '{"v":true}'],
  ["SELECT -2 * -3 AS v", '{"v":6}'],
  [`SELECT "it's" AS v`, `{"v":"it's"}`],
  ["SELECT 'a\\b' AS v", '{"v":"a\\\\b"}'], // no escapes
] as const)("%s gives %s", ([sql, output]) => {
  expect(evaluateToJson(sql, { value: 1, other: 2, nested: { end: 3 } })).toBe(output);
});

test("keeps the topic filter, and knows a statement without FROM", () => {
  const options = { version: "2016-03-23" } as const;
  expect(compileStatement("SELECT * FROM 'a/+'", options).topicFilter).toBe("a/+");
  expect(compileStatement("SELECT * WHERE a = 1", options).topicFilter).toBeUndefined();
});
