import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "../usage-error.ts";
import { readProvisionOptions } from "./provision-options.ts";
import { TestAccount } from "./testing.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const sampleUrl = new URL("../../trestle.config.ts", import.meta.url).href;

test("a process provisions, rotates and finishes, and says how to go on", async () => {
  await using account = await TestAccount.start();
  const out = await temporaryFolder();
  const environment = { AWS_ENDPOINT_URL: account.endpoint, AWS_REGION: account.region, ...credentials };
  const made = await run(["provision", "--out", out], environment);
  expect(made).toMatchObject({ code: 0, errors: "" });
  expect(made.output).toContain(
    `--endpoint ${account.endpointAddress} --client-id sample-dev-edge --bridge-ca ${out}/amazon-root-ca.pem ` +
      `--bridge-cert ${out}/bridge.pem --bridge-key ${out}/bridge.key`,
  );
  expect(made.output).not.toContain("PRIVATE KEY");
  const roots = await readFile(join(out, "amazon-root-ca.pem"), "utf8");
  expect(roots.match(/BEGIN CERTIFICATE/g)).toHaveLength(4);
  expect((await run(["provision", "rotate", "--out", out], environment)).output).toMatch(/is valid as well.*--finish/);
  expect(await run(["provision", "rotate", "--finish", "--out", out], environment)).toMatchObject({ code: 0 });
  expect(account.certificates.size).toBe(1);
});

test("where the scheme has a relay, it says what that is given", async () => {
  await using account = await TestAccount.start();
  const out = await temporaryFolder();
  const config = join(out, "relay.config.ts");
  const relayScheme = `export default { ...sample, framesRuleName: "frames" };`;
  await writeFile(config, `import sample from ${JSON.stringify(sampleUrl)};\n${relayScheme}`);
  const environment = { AWS_ENDPOINT_URL: account.endpoint, AWS_REGION: account.region, ...credentials };
  const { code, output } = await run(["provision", "--config", config, "--out", out], environment);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(`\nrelay: --credentials ${out}\n`) });
  expect(JSON.stringify(account.documentOf("sample-dev-edge"))).toContain("topic/$aws/rules/frames/frames");
});

test.for([
  ["no credentials", { AWS_REGION: "eu-central-1" }, /AWS_PROFILE.*\(PROVISION_CREDENTIALS\)/],
  ["no region", credentialsOf(), /--region.*\(PROVISION_REGION\)/],
] as const)("without %s it says what to do", async ([, environment, message]) => {
  const { code, errors } = await run(["provision", "--out", await temporaryFolder()], environment);
  expect(code).toBe(1);
  expect(errors).toMatch(message);
});

test.for([
  [[], /--out DIR or --secret NAME/],
  [["--out", "x", "--secret", "y"], /one of them/],
  [["renew", "--out", "x"], /not 'renew'/],
  [["rotate", "now", "--out", "x"], /not 'rotate now'/],
  [["--finish", "--out", "x"], /provision rotate --finish/],
  [["--nonsense"], /'--nonsense'/],
] as const)("explains the command line %o", ([args, message]) => {
  expect(() => readProvisionOptions(args)).toThrow(UsageError);
  expect(() => readProvisionOptions(args)).toThrow(message);
});

const credentials = credentialsOf();

function credentialsOf() {
  return { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
}

async function run(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string; errors: string }>();
  // Nothing of this machine's own AWS configuration, and no look for an instance's role.
  const home = await temporaryFolder();
  const env = { PATH: process.env.PATH, HOME: home, AWS_EC2_METADATA_DISABLED: "true", ...environment };
  execFile(process.execPath, [main, ...args], { env }, (error, output, errors) => {
    resolve({ code: typeof error?.code === "number" ? error.code : 0, output, errors });
  });
  return promise;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-provision-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
