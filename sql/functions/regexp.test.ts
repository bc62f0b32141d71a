import fc from "fast-check";
import { expect, test } from "vitest";
import { badInputs } from "../../scheme/fixtures/bad-inputs.ts";
import { evaluateToJson, refusal } from "../testing.ts";

const fields = { s: "abc", p: "b", big: 9007199254740991, o: { k: 1 } };

test.for([
  ["regexp_matches(s, 'c$')", "true"],
  ["regexp_matches(s, '^b')", "false"],
  ["regexp_matches(s, '')", "true"],
  ["regexp_matches(s, p)", "true"], // a pattern of the payload
  ["regexp_matches(s, 'B')", "false"],
  ["regexp_matches(s, '(?i)B')", "true"],
  ["regexp_matches(big, '1$')", "true"],
  ["regexp_matches('€', '^.$')", "true"],
  ["regexp_matches('😀', '^.$')", "true"], // a character, not a code unit
  ["regexp_matches('a b', '\\bb\\b')", "true"],
  ["regexp_matches('ab', '\\bb')", "false"],
  ["regexp_matches('é', '\\pL')", "true"],
  ["regexp_matches(s, missing)", "undefined"],
  ["regexp_matches(s, null)", "undefined"],
  ["regexp_matches(s, '[')", "undefined"],
  ["regexp_substr('a1b22', '[0-9]+$')", '"22"'],
  ["regexp_substr('aaa', 'a*?')", '""'],
  ["regexp_substr('aab', 'a|aa|aab')", '"a"'], // the first alternative, not the longest
  ["regexp_substr('xaab', '(?:a|b)+')", '"aab"'],
  ["regexp_substr('abc', 'd')", "undefined"],
  ["regexp_substr('ab\\ncd', '(?m)^c.')", "undefined"], // a backslash stands for itself in a string
  ["regexp_replace('abc', '', '-')", '"-a-b-c-"'],
  ["regexp_replace('abc', '(.*)', '[$1]')", '"[abc][]"'], // as Java: once more at the end
  ["regexp_replace('abc', '(b)(x)?', '<$2$1>')", '"a<b>c"'], // a group without part is empty
  ["regexp_replace('abc', 'b', '$0$0')", '"abbc"'],
  ["regexp_replace('abc', '(b)', '$10')", '"ab0c"'], // there is no group 10
  ["regexp_replace('abc', 'b', '$1')", "undefined"],
  ["regexp_replace('abc', 'b', '$')", "undefined"],
  ["regexp_replace('abc', 'b', '\\$')", '"a$c"'],
  ["regexp_replace('abc', 'b', '\\')", "undefined"],
  ["regexp_replace('😀b', '', '-')", '"-😀-b-"'],
  ["regexp_replace('aXbX', 'x', 'y')", '"aXbX"'],
] as const)("%s is %s", ([expression, result]) => {
  expect(evaluateToJson(`SELECT VALUE ${expression}`, fields)).toBe(result);
});

test.for([
  ["(?=a)", "lookahead"],
  ["a(?<!b)", "lookbehind"],
  ["(a)\\1", "back reference"],
  ["(?>a)", "atomic"],
  ["a++", "possessive"],
  ["a{2,}+", "possessive"],
  ["[a-z&&[^b]]", "intersection"],
  ["a\\Z", "\\Z"],
  ["(?:a{100}){101}", "instructions"],
  ["a".repeat(5000), "characters"],
] as const)("a literal pattern %s works on AWS only and is refused: %s", ([pattern, what]) => {
  const error = refusal(`SELECT regexp_matches(s, '${pattern}') AS v`);
  expect(error).toMatchObject({ code: "SQL_UNSUPPORTED", index: 25 });
  expect(error.message).toContain(what);
});

test.for(["[(?=a)]", "\\Q(?=a)\\E", "\\\\1", "[a++]", "[[:alpha:]&]", "a+?", "(?P<n>a)", "(?<n>a)"])(
  "a literal pattern %s is not mistaken for one",
  (pattern) => {
    expect(evaluateToJson(`SELECT regexp_matches('', '${pattern}') AS v`)).toMatch(/^\{"v":(true|false)\}$/);
  },
);

/** Patterns that stall an engine that backtracks, grow without limit, or make the search for all matches quadratic. */
test.for([
  ["^(a|a)*$", "a", "!"],
  ["(x+x+)+y", "x", ""],
  ["(?:a?){200}a{200}", "a", "!"],
  ["[ab]*a[ab]{400}c", "a", ""],
  ["(((a*)*)*)*b", "a", ""],
  ["(?:\\pL{100}){10}", "a", ""],
  ["(?i)[\\pL\\pN\\pS]+[^\\pL]", "a", ""],
  ["a*b|a", "a", ""],
  ["(a*)(a*)(a*)(a*)(a*)(a*)(a*)b|a", "a", ""],
  ["((((((((((a{10}){10}){10}){10}){10}){10}){10}){10}){10}){10})", "a", ""],
  ["(".repeat(128), "a", ""],
  ["(?i)[".concat("\\pL".repeat(80), "]"), "a", ""],
] as const)("the pattern %s of a payload takes no more than its steps", ([p, letter, end]) => {
  const payload = { s: letter.repeat(100_000) + end, p };
  for (const expression of ["regexp_matches(s, p)", "regexp_substr(s, p)", "regexp_replace(s, p, '')"]) {
    const result = evaluateToJson(`SELECT VALUE ${expression}`, payload);
    expect(result).toMatch(/^(?:true|false|undefined|"[ax]*!?")$/);
  }
});

test("the steps are counted for the whole evaluation, nested SELECTs included", () => {
  const payload = { s: "a".repeat(60_000), p: "(a*)(a*)b|a", e: Array.from({ length: 1000 }, (_, n) => ({ n })) };
  const sql = "SELECT VALUE (SELECT VALUE regexp_replace(@s, @p, '') FROM e)";
  expect(evaluateToJson(`SET @s = s, @p = p ${sql}`, payload)).toBe("[]");
});

test("searches the largest message for a word", () => {
  const payload = { s: `${"lorem ipsum ".repeat(10_900)}alarm 17` };
  expect(evaluateToJson("SELECT VALUE regexp_substr(s, 'alarm [0-9]+')", payload)).toBe('"alarm 17"');
  expect(evaluateToJson("SELECT VALUE regexp_substr(s, '[A-Za-z]+ [0-9]+')", payload)).toBe('"alarm 17"');
  expect(evaluateToJson("SELECT VALUE length(regexp_replace(s, '[aeiou]', ''))", payload)).toBe("87206");
});

test("bad input sql-02: a pattern of the payload is evaluated by the linear engine", () => {
  const { sql, payload } = inputOf("sql-02");
  expect(evaluateToJson(sql, payload)).toBe("noMatch");
});

test("bad input sql-03: a replacement that repeats the text gives the whole, for the action's limit to refuse", () => {
  const { sql } = inputOf("sql-03");
  const output = evaluateToJson(sql, { x: "x".repeat(100_000) });
  expect(output.length).toBe(800_000 + '{"y":""}'.length);
});

function inputOf(id: string): { readonly sql: string; readonly payload: unknown } {
  const { input } = badInputs("rule.sql").find((each) => each.id === id) ?? {};
  return input as { readonly sql: string; readonly payload: unknown };
}

const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "c", "\\w", "\\b", "^", "$", "");
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    atom,
    fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `${left}${right}`),
    fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `(?:${left}|${right})`),
    tie("pattern").map((inner) => `(${inner})`),
    fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{0,2}")).map(([inner, q]) => `(?:x${inner})${q}`),
  ),
}));

test("finds what JavaScript's engine finds, with its groups", () => {
  const subject = fc.string({ unit: fc.constantFrom("a", "b", "c", "x", " ", "\n", "😀"), maxLength: 12 });
  fc.assert(
    fc.property(pattern, subject, (p, s) => {
      const found = new RegExp(p, "su").exec(s);
      const payload = { p: `(?s)${p}`, s };
      expect(evaluateToJson("SELECT VALUE regexp_matches(s, p)", payload)).toBe(String(found !== null));
      const text = evaluateToJson("SELECT VALUE regexp_substr(s, p)", payload);
      expect(text).toBe(found === null ? "undefined" : JSON.stringify(found[0]));
      const replaced = evaluateToJson("SELECT VALUE regexp_replace(s, p, '<$0>')", payload);
      expect(JSON.parse(replaced)).toBe(s.replaceAll(new RegExp(p, "gsu"), "<$&>"));
    }),
    { numRuns: 2000, seed: 5 },
  );
});
