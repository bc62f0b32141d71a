import { expect, test } from "vitest";
import { badInputs } from "../scheme/fixtures/bad-inputs.ts";
import { evaluate, refusal } from "./testing.ts";
import type { JsonValue } from "./value.ts";

interface RuleInput {
  readonly sql?: string;
  readonly nestedParens?: number;
  readonly payload?: unknown;
}

const cases = badInputs("rule.sql").map(({ id, input, expect: outcome }) => ({ id, outcome, ...(input as RuleInput) }));

/** Held in `engine/rule.test.ts` and `engine/engine.test.ts`: a template is a matter of the rule's actions, a loop of all rules. */
const OF_THE_ENGINE = ["sql-14", "sql-15"];

const refused = cases.filter(({ id, outcome }) => outcome.outcome === "config-error" && !OF_THE_ENGINE.includes(id));

test.for(refused)("$id is refused when the rule is loaded", ({ sql, nestedParens = 0, outcome }) => {
  const statement = sql ?? `SELECT ${"(".repeat(nestedParens)}1${")".repeat(nestedParens)} AS v FROM 'up/#'`;
  expect(refusal(statement).code).toBe(outcome.code);
});

/** What is delivered: the value, or a check of it. */
const delivered: Readonly<Record<string, (value: JsonValue | undefined, kind: string) => void>> = {
  // Linear: its steps are counted, and tell that it does not match.
  "sql-02": (_, kind) => expect(kind).toBe("noMatch"),
  "sql-10": (value) => expect(value).toEqual({}),
  // A division by 0 is Undefined, and a text concatenates.
  "sql-11": (value) => expect(value).toEqual({ w: "x1" }),
  "sql-12": (value) => expect(value).toEqual({}),
  "sql-18": (value) => expect(value).toEqual({}),
  "sql-19": (value) => expect(value).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), x: 1 }),
  "sql-20": (value) => expect(value).toEqual({ d: null }),
};

test.for(cases.filter(({ outcome }) => outcome.outcome === "deliver"))("$id is delivered", ({ id, sql, payload }) => {
  const evaluation = evaluate(sql ?? "", payload ?? { x: 1 });
  expect(delivered).toHaveProperty(id);
  delivered[id]?.(evaluation.kind === "json" ? evaluation.value : undefined, evaluation.kind);
});

test("sql-03 gives the whole output, for its action to refuse", () => {
  const { sql, outcome } = cases.find(({ id }) => id === "sql-03") ?? { sql: "", outcome: { code: "" } };
  expect(outcome.code).toBe("RULE_OUTPUT_TOO_LARGE");
  const evaluation = evaluate(sql ?? "", { x: "x".repeat(100_000) });
  expect(evaluation).toEqual({ kind: "json", value: { y: "x".repeat(800_000) } });
});

test("sql-19 gives another newuuid() every time", () => {
  const sql = cases.find(({ id }) => id === "sql-19")?.sql ?? "";
  expect(evaluate(sql, { x: 1 })).not.toEqual(evaluate(sql, { x: 1 }));
});

test("every case of the file is held here, or named as the engine's", () => {
  const held = [...refused.map(({ id }) => id), ...Object.keys(delivered), "sql-03", ...OF_THE_ENGINE];
  expect(held.toSorted()).toEqual(cases.map(({ id }) => id).toSorted());
});
