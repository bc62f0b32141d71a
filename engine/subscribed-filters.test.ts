import { expect, test } from "vitest";
import { identifierOf, SubscribedFilters } from "./subscribed-filters.ts";

const filters = new SubscribedFilters(["v1/+", "v1/d42"]);
const [some, one] = ["v1/+", "v1/d42"].map(identifierOf);

test.for([
  ["one filter", some, ["v1/+"]],
  ["the other one", one, ["v1/d42"]],
  ["both", [some, one], ["v1/+", "v1/d42"]], // MQTT 5 §3.3.4 lets a broker send a message once for all
  ["nothing", undefined, undefined],
  ["a filter of before", identifierOf("v1/#"), undefined],
] as const)("a message that names %s", ([, identifiers, named]) => {
  expect(filters.named(identifiers as number | number[] | undefined)).toEqual(named);
});

test("an identifier is what MQTT 5 takes, and the same in every run", () => {
  for (const filter of ["", "#", "v1/+", "x".repeat(1000)]) {
    expect(identifierOf(filter)).toBeGreaterThanOrEqual(1);
    expect(identifierOf(filter)).toBeLessThanOrEqual(268_435_455);
  }
  // What a session holds on disk was made by an earlier one.
  expect(identifierOf("v1/+")).toBe(68775638);
});

test.for([
  ["v1/+", "v1/d42", true],
  ["v1/+/a", "v1/d42/+", true],
  ["v1/#", "v1", true], // for a broker, unlike AWS IoT's rules
  ["#", "v1/a/b", true],
  ["v1/+/location", "v1/+/health", false],
  ["v1/+", "v1/+/a", false],
  ["#", "$aws/rules/a/#", false], // a wildcard selects no first level with $
  ["+/rules/a/x", "$aws/rules/a/#", false],
  ["$aws/rules/a/#", "$aws/rules/b/#", false],
] as const)("filters %s and %s are named where they overlap: %s", ([one, other, isOverlapping]) => {
  const both = new SubscribedFilters([one, other]);
  for (const filter of [one, other]) {
    expect(both.subscriptionOf(filter)).toEqual(
      isOverlapping ? { filter, identifier: identifierOf(filter) } : { filter },
    );
  }
});
