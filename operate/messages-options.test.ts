import { expect, test } from "vitest";
import { UsageError } from "../bridge/usage-error.ts";
import { readOptions } from "./messages-options.ts";

const now = Date.parse("2026-01-31T12:00:00Z");
const read = (line: string) => readOptions(line.split(" ").filter(Boolean), now);

test.for([
  ["list", { kind: "list", selection: { limit: 100 } }],
  ["list --device d42 --limit 7", { selection: { deviceId: "d42", limit: 7 } }],
  [
    "replay --route location --since 2026-01-31T08:00Z",
    { kind: "replay", selection: { route: "location", since: now - 4 * 3_600_000 }, perSecond: 100, isDryRun: false },
  ],
  ["replay --all --rate 5 --dry-run", { perSecond: 5, isDryRun: true }],
] as const)("reads %s", ([line, action]) => {
  expect(read(line)?.action).toMatchObject(action);
});

test.for([
  ["", "a command is needed: list or replay"],
  ["show", "there is no command 'show'"],
  ["replay", "replay what?"],
  ["replay --limit 3", "replay what?"],
  ["replay m1", "replay takes no 'm1'"],
  ["list --reason HTTP_422", "--reason"],
] as const)("refuses '%s'", ([line, message]) => {
  expect(() => read(line)).toThrow(expect.objectContaining({ constructor: UsageError }));
  expect(() => read(line)).toThrow(message);
});
