import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findMosquitto } from "../broker-process.ts";
import { directives } from "./directives.ts";
import { temporaryFolder } from "./testing.ts";

const mosquitto = await findMosquitto();

test("the installed Mosquitto knows the directives of its release, and no others", async () => {
  expect(mosquitto).toBeDefined();
  const folder = await temporaryFolder();
  const unknown: string[] = [];
  for (const name of directives.keys()) if (!(await isKnown(name, folder))) unknown.push(name);
  const expected = [...directives].filter(([, { since }]) => mosquitto?.version === "2.0" && since === "2.1");
  expect(unknown).toEqual(expected.map(([name]) => name));
});

/** Whether it reads over the name; it ends in any case, at a line after it that nothing knows. */
async function isKnown(name: string, folder: string): Promise<boolean> {
  const file = join(folder, "one.conf");
  const value = name === "log_dest" ? "stderr" : "";
  await writeFile(file, `listener 1883 127.0.0.1\nconnection a\n${name} ${value}\nnonsense\n`);
  const run = promisify(execFile)(mosquitto?.path ?? "", ["-c", file]);
  const { stderr } = await run.catch((error: { stderr: string }) => error);
  expect(stderr).toMatch(/Error/); // it has not started
  return !stderr.includes(`Unknown configuration variable "${name}"`) && !stderr.includes(`variable '${name}'`);
}
