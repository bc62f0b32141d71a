import { expect, test } from "vitest";
import { SubscribedFilters } from "./subscribed-filters.ts";

const filters = new SubscribedFilters(["v1/+", "v1/d42"]);
const [some, one] = ["v1/+", "v1/d42"].map((filter) => filters.identifierOf(filter));

test.for([
  ["one filter", some, ["v1/+"]],
  ["the other one", one, ["v1/d42"]],
  ["both", [some, one], ["v1/+", "v1/d42"]], // MQTT 5 §3.3.4 lets a broker send a message once for all
  ["nothing", undefined, undefined],
  ["a filter of before", filters.identifierOf("v1/#"), undefined],
] as const)("a message that names %s", ([, identifiers, named]) => {
  expect(filters.named(identifiers as number | number[] | undefined)).toEqual(named);
});

test("an identifier is what MQTT 5 takes, and the same in every run", () => {
  for (const filter of ["", "#", "v1/+", "x".repeat(1000)]) {
    expect(filters.identifierOf(filter)).toBeGreaterThanOrEqual(1);
    expect(filters.identifierOf(filter)).toBeLessThanOrEqual(268_435_455);
    expect(new SubscribedFilters([]).identifierOf(filter)).toBe(filters.identifierOf(filter));
  }
});
