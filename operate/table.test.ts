import { expect, test } from "vitest";
import { formatTable } from "./table.ts";

test("puts texts to the left and numbers to the right, with a head above", () => {
  expect(
    formatTable(
      ["rule", "received", "state"],
      [
        ["a", 1, "x"],
        ["location", 1_234_567, ""],
      ],
    ),
  ).toEqual(["rule       received  state", "a                 1  x", "location  1,234,567"]);
});
