import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAuthority, type Leaf, writeLeaf } from "../../test/support/certificates.ts";
import { changedConf, checkText, temporaryFolder } from "./testing.ts";

const dayMs = 86_400_000;
const now = Date.now();
const authority = await createAuthority();

/** A certificate that ends so many days from now. */
function issue(days: number): Promise<Leaf> {
  return authority.issue({ commonName: "bridge", notAfter: new Date(now + days * dayMs) });
}

test.for([
  [31, []],
  [29.5, [{ code: "CERT_EXPIRED", severity: "warning", reason: expect.stringContaining("in 29 days") }]],
  [-0.01, [{ code: "CERT_EXPIRED", severity: "refused" }]],
] as const)("a certificate that ends %s days from now", async ([days, expected]) => {
  const { certfile } = await writeLeaf(await temporaryFolder(), "bridge", await issue(days));
  const { findings } = await checkText(changedConf({ set: [`bridge_certfile ${certfile}`] }), { now });
  expect(findings).toMatchObject(expected);
});

test("of a chain the first certificate counts, of authorities the one that lasts longest", async () => {
  const file = join(await temporaryFolder(), "chain.pem");
  const [old, young] = await Promise.all([issue(-0.01), issue(31)]);
  await writeFile(file, young.certPem + old.certPem);
  expect((await checkText(changedConf({ set: [`bridge_certfile ${file}`] }), { now })).findings).toEqual([]);
  await writeFile(file, old.certPem + young.certPem);
  expect((await checkText(changedConf({ set: [`bridge_cafile ${file}`] }), { now })).findings).toEqual([]);
  expect((await checkText(changedConf({ set: [`bridge_certfile ${file}`] }), { now })).findings).toHaveLength(1);
});

test("a file without a certificate is refused", async () => {
  const file = join(await temporaryFolder(), "not.pem");
  await writeFile(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const { findings } = await checkText(changedConf({ set: [`bridge_cafile ${file}`] }));
  expect(findings).toMatchObject([{ code: "CERT_UNREADABLE", severity: "refused" }]);
});

test.for([
  [0o600, []],
  [0o400, []],
  [0o640, [{ code: "KEY_PERMISSIONS", severity: "warning" }]],
  [0o604, [{ code: "KEY_PERMISSIONS", severity: "refused", reason: expect.stringContaining("mode 0604") }]],
  [0o644, [{ code: "KEY_PERMISSIONS", severity: "refused" }]],
] as const)("a private key of mode %o", async ([mode, expected]) => {
  const { keyfile } = await writeLeaf(await temporaryFolder(), "bridge", await issue(31));
  await chmod(keyfile, mode);
  const { findings } = await checkText(changedConf({ set: [`bridge_keyfile ${keyfile}`] }));
  expect(findings).toMatchObject(expected);
});

test("a password file that everybody reads is warned of", async () => {
  const file = join(await temporaryFolder(), "passwords");
  await writeFile(file, "d42:$7$…", { mode: 0o644 });
  await chmod(file, 0o644);
  const { findings } = await checkText(changedConf({ set: [`password_file ${file}`] }));
  expect(findings).toMatchObject([{ code: "KEY_PERMISSIONS", severity: "warning" }]);
});

test("what is not on this machine is named, and no fault", async () => {
  const { findings, unchecked } = await checkText(changedConf({}));
  expect(findings).toEqual([]);
  expect(unchecked.map(({ directive }) => directive)).toEqual([
    "password_file",
    "bridge_cafile",
    "bridge_certfile",
    "bridge_keyfile",
  ]);
});
