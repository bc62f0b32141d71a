import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../usage-error.ts";
import { checkCommand } from "./check-command.ts";
import { type Change, changedConf, temporaryFolder } from "./testing.ts";

test.for([
  ["nothing", {}, [], 0],
  ["a warning", { without: ["set_tcp_nodelay"] }, [], 0],
  ["a warning, strictly", { without: ["set_tcp_nodelay"] }, ["--strict"], 1],
  ["a refusal", { without: ["acl_file"] }, [], 1],
] as const)("exits over %s with the code of it", async ([, change, flags, code]) => {
  const { file } = await written(change);
  expect(await checkCommand([...flags, file], () => {})).toBe(code);
});

test("prints the place, the directive and the reason, and what was not looked at", async () => {
  const { file } = await written({ set: ["cleansession true"], without: ["acl_file"] });
  const printed: string[] = [];
  await checkCommand([file], (line) => printed.push(line));
  expect(printed).toContain(`${file}:22: refused BRIDGE_NOT_DURABLE: cleansession true`);
  expect(printed).toContain(`${file}:1: refused BROKER_OPEN: acl_file is missing`);
  expect(printed.filter((line) => line.startsWith("not looked at: "))).toHaveLength(4);
  expect(printed.at(-1)).toBe(`${file}: 2 refused, 0 warnings`);
});

test("each file is a configuration of its own", async () => {
  const [good, bad] = [await written({}), await written({ without: ["acl_file"] })];
  const printed: string[] = [];
  expect(await checkCommand([good.file, bad.file, "--json"], (line) => printed.push(line))).toBe(1);
  expect(JSON.parse(printed.join("\n"))).toMatchObject([
    { files: [good.file], findings: [] },
    { files: [bad.file], findings: [{ code: "BROKER_OPEN" }] },
  ]);
});

test.for([
  [[], /a FILE is needed/],
  [["--nonsense", "f"], /'--nonsense'/],
  [["--mosquitto", "1.6", "f"], /'1.6' is not 2.0 or 2.1/],
] as const)("explains the command line %o", async ([args, message]) => {
  const failure = await checkCommand(args, () => {}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UsageError);
  expect(String(failure)).toMatch(message);
});

async function written(change: Change): Promise<{ readonly file: string }> {
  const file = join(await temporaryFolder(), "mosquitto.conf");
  await writeFile(file, changedConf(change));
  return { file };
}
