import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startOpenBroker } from "./testing.ts";

const path = fileURLToPath(new URL("example.ts", import.meta.url));

test("the example of the README prints what it says", async () => {
  await using broker = await startOpenBroker();
  const { stdout } = await promisify(execFile)(process.execPath, [path, broker.url]);
  expect(stdout).toBe('noon in Rome\ndrivers/d42/position {"lat":52.52,"lon":13.40}\n');
});

test("the README shows the example as it is", async () => {
  const readme = await readFile(new URL("README.md", import.meta.url), "utf8");
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const example = await readFile(path, "utf8");
  expect(example).toContain(shown);
});
