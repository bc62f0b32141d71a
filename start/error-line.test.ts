import { expect, test } from "vitest";
import { errorLine } from "./error-line.ts";

test.for([
  [
    '{"level":"ERROR","message":"circuit opened: everything of the route is held","service":"sample-dev","route":"location","reason":"SUSPECTS_IN_A_ROW","code":"HTTP_401"}',
    "! circuit opened: everything of the route is held  location  SUSPECTS_IN_A_ROW  HTTP_401",
  ],
  ['{"level":"ERROR","message":"not written down","error":"Error: no store"}', "! not written down  Error: no store"],
  ['{"level":"WARN","message":"message not delivered","route":"location"}', undefined],
  ['{"_aws":{},"route":"location","Delivered":2}', undefined],
  ["plain text", undefined],
] as const)("of %s people see %s", ([line, seen]) => {
  expect(errorLine(line)).toBe(seen);
});
