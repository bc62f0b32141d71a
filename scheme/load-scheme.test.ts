import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadScheme } from "./load-scheme.ts";

const defineSchemeUrl = new URL("define-scheme.ts", import.meta.url).href;

function write(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-scheme-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "trestle.config.ts");
  writeFileSync(file, `import { defineScheme } from ${JSON.stringify(defineSchemeUrl)};\n${text}`);
  return file;
}

const scheme = (qos: number) => `export default defineScheme({
  name: "acme", api: { url: "https://api.example.com" }, routes: { location: { topic: "v1/{deviceId}", qos: ${qos} } },
} as never);`;

test("loads what the file exports, by a relative path too", async () => {
  const file = write(scheme(1));
  expect((await loadScheme(file)).name).toBe("acme");
  expect((await loadScheme(relative(process.cwd(), file))).routes.get("location")?.qos).toBe(1);
});

test("a fault names the file, the key, the value and the limit", async () => {
  const file = write(scheme(2));
  await expect(loadScheme(file)).rejects.toMatchObject({
    name: "SchemeError",
    message: `${relative(process.cwd(), file)}: routes.location.qos: 2 is not 0 or 1, which AWS IoT Core has (QOS_UNSUPPORTED)`,
    problems: [{ code: "QOS_UNSUPPORTED", at: "routes.location.qos" }],
  });
});

test.for([
  ["nothing", "export const scheme = 1;"],
  ["a plain object", "export default { name: 'acme', routes: {} };"],
  ["null", "export default null;"],
] as const)("a file that exports %s by default is refused", async ([, text]) => {
  const file = write(text);
  await expect(loadScheme(file)).rejects.toThrow(
    `${relative(process.cwd(), file)}: export default: has no default export made by defineScheme({…}) (CONFIG_TYPE)`,
  );
});

test("a missing file is named", async () => {
  const file = join(tmpdir(), "nowhere", "trestle.config.ts");
  await expect(loadScheme(file)).rejects.toThrow("nowhere/trestle.config.ts: the file: does not exist");
});
