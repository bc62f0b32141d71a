import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startOpenBroker } from "./testing.ts";

const path = fileURLToPath(new URL("device-example.ts", import.meta.url));

test("the device of the README answers", async () => {
  await using broker = await startOpenBroker();
  const folder = await mkdtemp(join(tmpdir(), "trestle-device-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path, broker.url, folder]);
  expect(stdout).toBe('"did {\\"command\\":\\"locate\\"}"\n');
  expect(stderr).toBe("");
});

test("the README shows the device as it is", async () => {
  const readme = await readFile(new URL("README.md", import.meta.url), "utf8");
  const shown = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(await readFile(path, "utf8")).toContain(shown.find((code) => code?.includes("Device.connect")));
});
