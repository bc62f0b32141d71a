import { expect, test } from "vitest";
import type { LedgerEntry } from "./ledger.ts";
import { ledgerAnswer } from "./ledger-answer.ts";

test.for([
  ["what is said of each account", { a: { delivered: 2, dead: 1 }, b: { dropped: 3 } }, ["a 3 2/1/0", "b 3 0/0/3"]],
  ["no account that is not known", { c: { delivered: 1 }, __proto__: { delivered: 1 } }, []],
  ["no other column", { a: { delivered: 1, received: 7, expired: 2 } }, ["a 1 1/0/0"]],
  ["no negative number", { a: { delivered: -1, dead: 1 } }, ["a 1 0/1/0"]],
  ["no fraction", { a: { delivered: 0.5 } }, []],
  ["no number in text", { a: { delivered: "1" } }, []],
  ["no more messages than an event can hold", { a: { delivered: 1_048_577 } }, []],
  ["nothing of nothing", { a: {}, b: { delivered: 0 } }, []],
  ["nothing of null", { a: null }, []],
  ["nothing of a list", { a: [1] }, []],
  ["nothing of a list of accounts", [{ delivered: 1 }], []],
  ["nothing of text", "a", []],
  ["nothing of null for all", null, []],
] as const)("the ledger counts %s", ([, ledger, counted]) => {
  const entries: LedgerEntry[] = [];
  ledgerAnswer(new Set(["a", "b"]), (entry) => entries.push(entry))({ batchItemFailures: [], ledger });
  const shown = entries.map(({ account, amounts }) => {
    const { received, delivered = 0, dead = 0, dropped = 0, ...others } = amounts;
    expect(others).toEqual({});
    return `${account} ${received} ${delivered}/${dead}/${dropped}`;
  });
  expect(shown).toEqual(counted);
});

test.for([[null], ["text"], [7], [undefined], [{}]])("the answer %j says nothing", ([answer]) => {
  const entries: LedgerEntry[] = [];
  ledgerAnswer(new Set(["a"]), (entry) => entries.push(entry))(answer);
  expect(entries).toEqual([]);
});
