import { expect, test } from "vitest";
import { RawJson, toJson } from "./raw-json.ts";

test.for([undefined, null, 1.5, 'a"b\ud800', true, [], {}, [1, [undefined]], { a: { "b\n": [null] }, c: undefined }])(
  "prints %j as JSON.stringify does",
  (value) => {
    expect(toJson(value)).toBe(JSON.stringify(value) ?? "null");
  },
);

test("puts raw text in as it is", () => {
  expect(toJson({ a: [new RawJson("1.0"), 1], b: new RawJson('{ "c":1e400}') })).toBe('{"a":[1.0,1],"b":{ "c":1e400}}');
});
