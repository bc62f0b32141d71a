import { resolve } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../bridge/usage-error.ts";
import { readOptions } from "./dead-letters-options.ts";

const now = Date.parse("2026-01-31T12:00:00Z");
const hour = 3_600_000;
const read = (line: string) => readOptions(line.split(" ").filter(Boolean), now);
const dead = new Set(["dead", "replaying"]); // what was under way when a replay was killed is dead still

test.for([
  ["list", { kind: "list", selection: { ids: [], limit: 100, states: dead } }],
  ["list --limit 5 --state all", { kind: "list", selection: { limit: 5, states: "all" } }],
  ["list --route location", { selection: { route: "location", deviceId: undefined } }],
  ["show m1 m2", { kind: "show", ids: ["m1", "m2"] }],
  ["replay m1", { kind: "replay", selection: { ids: ["m1"] }, perSecond: 100, isDryRun: false }],
  ["replay --device d42 --dry-run", { selection: { ids: [], deviceId: "d42" }, isDryRun: true }],
  [
    "replay --since 2h --until 1h --rate 20",
    { selection: { since: now - 2 * hour, until: now - hour }, perSecond: 20 },
  ],
  ["replay --all", { selection: { ids: [], limit: Number.POSITIVE_INFINITY } }],
  ["drop --reason HTTP_422", { kind: "drop", selection: { reason: "HTTP_422" } }],
  ["replay m1 --state dropped", { selection: { states: new Set(["dropped"]) } }],
] as const)("reads %s", ([line, action]) => {
  expect(read(line)?.action).toMatchObject(action);
});

test.for([
  ["", "a command is needed: list, show, replay or drop"],
  ["purge", "there is no command 'purge'"],
  ["show", "show needs the id"],
  ["replay", "replay what?"], // everything, by a slip
  ["drop --limit 5", "drop what?"],
  ["drop m1 --route location", "takes ids, or says which ones"],
  ["drop m1 --all", "takes ids, or says which ones"],
  ["list m1", "list takes no 'm1'"],
  ["list --state alive", "--state 'alive' is not dead, replaying, replayed, dropped, all"],
  ["list --limit 0", "--limit 0 is not a whole number of 1 or more"],
  ["replay --all --rate fast", "--rate fast is not a whole number"],
  ["list --since yesterday", "--since 'yesterday' is neither an age"],
  ["list --router location", "--router"],
] as const)("refuses '%s'", ([line, message]) => {
  expect(() => read(line)).toThrow(expect.objectContaining({ constructor: UsageError }));
  expect(() => read(line)).toThrow(message);
});

test("looks where npm start keeps its data, or on AWS", () => {
  expect(read("list")?.place).toEqual({
    configFile: resolve("trestle.config.ts"),
    isAws: false,
    dataFolder: resolve(".trestle/18830"),
  });
  const other = read("list --aws --config other.config.ts --data elsewhere")?.place;
  expect(other).toEqual({ configFile: resolve("other.config.ts"), isAws: true, dataFolder: resolve("elsewhere") });
});

test.for(["--help", "replay -h"])("helps where asked by %s", (line) => {
  expect(read(line)).toBeUndefined();
});
