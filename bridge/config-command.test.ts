import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BridgeError } from "./bridge-error.ts";
import { configCommand } from "./config-command.ts";
import { UsageError } from "./usage-error.ts";

const sampleUrl = new URL("../trestle.config.ts", import.meta.url).href;

test("writes both files and says where", async () => {
  const out = await temporaryFolder();
  const printed: string[] = [];
  await configCommand(["--out", out, "--mosquitto", "2.0"], (line) => printed.push(line));
  expect((await readdir(out)).sort()).toEqual(["acl", "mosquitto.conf"]);
  expect(printed.sort()).toEqual([join(out, "acl"), join(out, "mosquitto.conf")]);
  expect(await readFile(join(out, "mosquitto.conf"), "utf8")).toContain(`\nacl_file ${join(out, "acl")}\n`);
});

test("names the folder that Mosquitto will read from", async () => {
  const out = await temporaryFolder();
  await configCommand(["--out", out, "--folder", "/mosquitto/config"], () => {});
  expect(await readFile(join(out, "mosquitto.conf"), "utf8")).toContain("\nacl_file /mosquitto/config/acl\n");
});

test.for([
  [["--relay"], "trestle.relay"],
  [["--relay", "--mosquitto", "2.0"], "trestle.relay"],
  [["--relay", "acme.uplink"], "acme.uplink"],
] as const)("%o lets the user %s read for the relay", async ([args, user]) => {
  const out = await temporaryFolder();
  const config = join(out, "relay.config.ts");
  await writeFile(
    config,
    `import sample from ${JSON.stringify(sampleUrl)};\nexport default { ...sample, framesRuleName: "frames" };`,
  );
  await configCommand(["--out", out, "--config", config, ...args], () => {});
  expect(await readFile(join(out, "acl"), "utf8")).toContain(`\nuser ${user}\ntopic read v1/drivers/+/location\n`);
});

test("refuses a relay that the scheme does not have", async () => {
  const refused = configCommand(["--out", "x", "--relay"], () => {});
  await expect(refused).rejects.toMatchObject({ code: "RELAY_NOT_IN_SCHEME" });
});

test.for([
  [[], /--out DIR is needed/],
  [["--out", "x", "--nonsense"], /'--nonsense'/],
  [["--out", "x", "--config", "missing.config.ts"], /no topic scheme 'missing.config.ts'/],
  [["--out", "x", "--mosquitto", "1.6"], /'1.6' is not 2.0 or 2.1/],
  [["--out", "x", "--listen", "here"], /'here' is not PORT or ADDRESS:PORT/],
  [["--out", "x", "--tls-cert", "c"], /--tls-key missing/],
  [["--out", "x", "--endpoint", "e", "--bridge-ca", "c"], /--bridge-cert, --bridge-key missing/],
  [["--out", "x", "--client-id", "i"], /--endpoint is missing/],
  [["--out", "x", "--password-file", "p", "--client-ca", "c"], /exclude each other/],
] as const)("explains the command line %o", async ([args, message]) => {
  const failure = await configCommand(args, () => {}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UsageError);
  expect(String(failure)).toMatch(message);
});

test("refuses an open broker", async () => {
  await expect(configCommand(["--out", "x", "--listen", "0.0.0.0:1883"], () => {})).rejects.toThrow(BridgeError);
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-config-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
