import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { Terminal } from "../start/terminal.ts";
import { ProgressLine } from "./progress-line.ts";

/** What a terminal, or a file, is written while so many items are done, one each 10 ms. */
function run(count: number, isTTY: boolean, total?: number): string {
  let text = "";
  const output = Object.assign(
    new Writable({
      write(chunk, _, done) {
        text += chunk;
        done();
      },
    }),
    { isTTY },
  );
  let now = 0;
  const progress = new ProgressLine(new Terminal(output), {
    verb: "replayed",
    now: () => now,
    ...(total === undefined ? {} : { total }),
  });
  for (let index = 0; index < count; index += 1) {
    now += 10;
    progress.advance();
  }
  progress.end();
  return text;
}

test("draws a bar on a terminal, in place", () => {
  const lines = run(40, true, 80).split("\r\u001b[2K");
  expect(lines).toHaveLength(4); // ten a second at most
  expect(lines.at(-1)).toBe("replayed [############------------] 40 of 80  100/s\n");
});

test("counts where nobody knows how many there will be", () => {
  expect(run(10, true)).toBe("replayed 10  100/s\n");
});

test("says little in a file, and nothing of what is done at once", () => {
  expect(run(999, false, 2_500)).toBe("");
  expect(run(2_500, false, 2_500).trimEnd().split("\n")).toHaveLength(2);
});
