import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fuzz } from "./fuzzing/fuzz.ts";
import { randomPayload } from "./fuzzing/payloads.ts";
import { Random } from "./fuzzing/random.ts";
import { randomStatement } from "./fuzzing/statements.ts";

const script = fileURLToPath(new URL("fuzz.ts", import.meta.url));

test("random statements and payloads never crash the parser, the printer or an evaluation", () => {
  const { crashes, compiled, evaluations } = fuzz(4_000, 1);
  expect(crashes).toEqual([]);
  // The grammar reaches what it is to reach.
  expect(compiled).toBeGreaterThan(2_000);
  expect(evaluations).toBe(2 * compiled);
});

test("a seed gives the same statement and payload again", () => {
  const make = (seed: number) => [randomStatement(new Random(seed)), randomPayload(new Random(seed)).toString("hex")];
  expect(make(7)).toEqual(make(7));
  expect(make(7)).not.toEqual(make(8));
});

test("the script says what it found", () => {
  const { status, stdout } = spawnSync(process.execPath, [script, "--runs", "500", "--seed", "42"], {
    encoding: "utf8",
  });
  expect(stdout).toMatch(/^500 statements, \d+ of them compiled; \d+ evaluations$/m);
  expect(stdout).toMatch(/^0 crashes, 0 evaluations over 50 ms of CPU time$/m);
  expect(status).toBe(0);
});
