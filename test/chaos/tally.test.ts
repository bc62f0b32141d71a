import { expect, test } from "vitest";
import { Tally } from "./tally.ts";

test("tells what is missing, and duplicates by their keys", () => {
  const tally = new Tally(5);
  for (const number of [0, 1, 2, 3]) tally.acknowledge(number);
  for (const [number, idempotencyKey] of [
    [1, "a"],
    [2, "b"],
    [1, "a"],
    [1, "c"],
    [4, "d"], // before its PUBACK
  ] as const) {
    tally.receive({ number, idempotencyKey });
  }
  expect(tally.missing()).toEqual([0, 3]);
  expect(tally).toMatchObject({
    acknowledged: 4,
    received: 3,
    undelivered: 1,
    duplicatesWithSameKey: 1,
    duplicatesWithOtherKey: 1,
  });
});
