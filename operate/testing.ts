import { Writable } from "node:stream";
import { Terminal } from "../start/terminal.ts";

/** A terminal whose lines a test reads. */
export function testTerminal(): { readonly terminal: Terminal; readonly lines: () => readonly string[] } {
  let text = "";
  const output = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return { terminal: new Terminal(output), lines: () => text.split("\n").slice(0, -1) };
}
