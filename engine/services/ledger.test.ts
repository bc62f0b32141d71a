import { expect, test } from "vitest";
import { checkLedger, type LedgerLine } from "./ledger.ts";

const nothing: LedgerLine = {
  account: "orders",
  received: 0,
  replayed: 0,
  delivered: 0,
  dead: 0,
  expired: 0,
  filtered: 0,
  dropped: 0,
  lost: 0,
  pending: 0,
};

test.for([
  ["nothing at all", {}, 0],
  ["what became of all", { received: 21, delivered: 6, dead: 5, expired: 4, filtered: 3, dropped: 2, pending: 1 }, 0],
  ["replayed ones among the received", { received: 2, replayed: 2, delivered: 2 }, 0],
  ["one that nobody knows of", { received: 2, delivered: 1 }, 1],
  ["one that nobody has", { received: 1, lost: 1 }, 1],
  ["one more than was received", { delivered: 1 }, -1],
] as const)("the ledger of %s differs by %3$s", ([, line, difference]) => {
  expect(checkLedger([{ ...nothing, ...line }])).toEqual([{ account: "orders", difference }]);
});

test("each account is looked at by itself", () => {
  const lines = [
    { ...nothing, received: 1 },
    { ...nothing, account: "other", delivered: 1 },
  ];
  expect(checkLedger(lines)).toEqual([
    { account: "orders", difference: 1 },
    { account: "other", difference: -1 },
  ]);
});
