import { afterAll, expect, test } from "vitest";
import { type Case, runCase } from "./cases.ts";
import cases from "./fixtures/aws-iot-sql.json" with { type: "json" };

const passed = new Set<string>();

afterAll(() => {
  console.log(`${passed.size} of ${cases.length} conformance cases pass`);
});

test.for(cases as unknown as readonly (Case & { readonly id: string })[])("$id: $sql", (example) => {
  const { passes, actual, actualTemplate, error } = runCase(example);
  // A comparison that fails shows both values; a refusal shows its reason.
  if (!passes && error !== undefined) throw error;
  if (!passes)
    expect({ actual, actualTemplate }).toEqual({ actual: example.expect, actualTemplate: example.expectTemplate });
  expect(passes).toBe(true);
  passed.add(example.id);
});

test("all cases pass, none of them twice", () => {
  expect(passed.size).toBe(712);
  expect(cases.length).toBe(712);
});
