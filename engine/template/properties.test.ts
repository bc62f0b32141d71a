import { expect, test } from "vitest";
import { Properties, performed } from "./properties.ts";

const of = (value: unknown) => new Properties({ A: value }, { A: performed }, "Queue");

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

const refused = (shown: string, wanted: string) => `EngineError: Queue.A is ${shown}, not ${wanted}`;

test.for([
  ["text", "text"],
  [7, refused("7", "text")],
  [undefined, "EngineError: Queue has no A"],
] as const)("the text %j is %s", ([value, read]) => {
  expect(outcome(() => of(value).text("A"))).toBe(read);
});

test.for([
  [30, 30],
  ["30", 30], // CloudFormation reads it so
  [0, 0],
  [undefined, undefined],
  [43_201, refused("43201", "a whole number from 0 to 43200")],
  [-1, refused("-1", "a whole number from 0 to 43200")],
  [1.5, refused("1.5", "a whole number from 0 to 43200")],
  ["", refused('""', "a whole number from 0 to 43200")],
  ["many", refused('"many"', "a whole number from 0 to 43200")],
  [true, refused("true", "a whole number from 0 to 43200")],
] as const)("the number %j is %s", ([value, read]) => {
  expect(outcome(() => of(value).optionalNumber("A", 0, 43_200))).toBe(read);
});

test.for([
  [true, true],
  ["true", true],
  ["false", false],
  [undefined, false],
  ["yes", refused('"yes"', "true or false")],
] as const)("the flag %j is %s", ([value, read]) => {
  expect(outcome(() => of(value).flag("A", false))).toBe(read);
});

test.for([
  [{ a: "1" }, { a: "1" }],
  [undefined, {}],
  [{ a: 1 }, refused('{"a":1}', "an object of texts")],
  [["a"], refused('["a"]', "an object of texts")],
] as const)("the texts %j are %j", ([value, read]) => {
  expect(outcome(() => of(value).texts("A"))).toEqual(read);
});

test("a property that is not in the table is refused", () => {
  expect(() => new Properties({ toString: 1 }, {}, "Queue.RedrivePolicy")).toThrow(
    expect.objectContaining({
      code: "ERR_PROPERTY_UNSUPPORTED",
      message: "Queue.RedrivePolicy has the property toString, which is not performed",
    }),
  );
});

test.for([[null], [["a"]], ["text"], [1]])("%j is no object of properties", ([value]) => {
  expect(outcome(() => new Properties(value, {}, "Queue"))).toBe(
    `EngineError: Queue is ${JSON.stringify(value)}, not an object`,
  );
});
