import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { defineScheme } from "../../scheme/define-scheme.ts";
import { Calls } from "./calls.ts";
import { folderStore } from "./credential-store/folder.ts";
import { secretStore } from "./credential-store/secret.ts";
import type { CredentialStore } from "./credential-store.ts";
import { finishRotation, provision, rotate } from "./provision.ts";
import { ProvisionError } from "./provision-error.ts";
import type { ProvisionOptions } from "./provisioning.ts";
import { type Failure, TestAccount } from "./testing.ts";

const scheme = defineScheme({
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
});
const clientId = "acme-prod-edge";

let account: TestAccount;
let folder: string;

beforeEach(async () => {
  account = await TestAccount.start();
  folder = await mkdtemp(join(tmpdir(), "trestle-provision-"));
  onTestFinished(async () => {
    await account[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
});

const stores = ["folder", "secret"] as const;

describe.for(stores)("into a %s", (kind) => {
  test("makes a certificate with its policy, and keeps it before it is in force", async () => {
    const credentials = await provision(options(kind));
    const { id = "" } = credentials.current ?? {};
    expect(account.certificates.get(id)).toEqual({ status: "ACTIVE", policies: new Set([clientId]) });
    expect(credentials.endpoint).toBe(account.endpointAddress);
    const certificate = new X509Certificate(credentials.current?.certificate ?? "");
    expect(certificate.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(id);
    expect(await storeOf(kind).read()).toEqual(credentials);
    expect(withoutIds(account.takeChanges())).toEqual([
      ...(kind === "secret" ? ["CreateSecret"] : []),
      "POST /keys-and-certificate?setAsActive=false",
      ...(kind === "secret" ? ["PutSecretValue"] : []),
      `POST /policies/${clientId}`,
      `PUT /target-policies/${clientId}`,
      "PUT /certificates/ID?newStatus=ACTIVE",
      ...(kind === "secret" ? ["PutSecretValue"] : []),
    ]);
  });

  test("changes nothing in a second run", async () => {
    const first = await provision(options(kind));
    account.takeChanges();
    const told: string[] = [];
    expect(await provision(options(kind, { print: (line) => told.push(line) }))).toEqual(first);
    expect(account.takeChanges()).toEqual([]);
    expect(told).toEqual([]);
  });

  test("rotates: both certificates are valid until the older one is finished", async () => {
    const { current: first } = await provision(options(kind));
    const rotated = await rotate(options(kind));
    expect(rotated.previous).toEqual(first);
    expect(rotated.current?.id).not.toBe(first?.id);
    expect(statuses()).toEqual(["ACTIVE", "ACTIVE"]);
    for (const { policies } of account.certificates.values()) expect([...policies]).toEqual([clientId]);

    account.takeChanges();
    expect(await rotate(options(kind))).toEqual(rotated);
    expect(account.takeChanges()).toEqual([]);

    const finished = await finishRotation(options(kind));
    expect(finished).toEqual({ ...rotated, previous: undefined });
    expect([...account.certificates.keys()]).toEqual([rotated.current?.id]);
    expect(await storeOf(kind).read()).toEqual(finished);
    account.takeChanges();
    expect(await finishRotation(options(kind))).toEqual(finished);
    expect(account.takeChanges()).toEqual([]);
  });

  test("a dry run makes no change and says what it would call", async () => {
    const told: string[] = [];
    await provision(options(kind, { isDryRun: true, print: (line) => told.push(line) }));
    expect(account.takeChanges()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
    expect(account.secrets.size).toBe(0);
    const printed = told.join("\n");
    for (const action of ["CreateKeysAndCertificate", "CreatePolicy", "AttachPolicy", "UpdateCertificate"]) {
      expect(printed).toMatch(new RegExp(`^iot:${action} .*\\(not made\\)$`, "m"));
    }
    expect(printed).toContain("iot:DescribeEndpoint iot:Data-ATS (reads)");
    expect(printed).toContain("topic/$aws/rules/acme_prod_location/v1/drivers/*/location");
    expect(printed).toMatch(kind === "secret" ? /CreateSecret .* \(not made\)/ : /bridge\.key \(not written\)/);
  });
});

test("a dry run of a rotation leaves a policy alone that is as it should be", async () => {
  const before = await provision(options("folder"));
  const told: string[] = [];
  await rotate(options("folder", { isDryRun: true, print: (line) => told.push(line) }));
  const notMade = told.flatMap((line) => /^iot:(\w+) .*\(not made\)$/.exec(line)?.[1] ?? []);
  expect(notMade).toEqual(["CreateKeysAndCertificate", "AttachPolicy", "UpdateCertificate"]);
  expect(await storeOf("folder").read()).toEqual(before);
});

/** Each call that changes something, and each way in which it can fail. */
const changes = [
  ["provision", /^POST \/keys-and-certificate/],
  ["provision", /^POST \/policies/],
  ["provision", /^PUT \/target-policies/],
  ["provision", /^PUT \/certificates/],
  ["rotate", /^POST \/keys-and-certificate/],
  ["rotate", /^PUT \/target-policies/],
  ["rotate", /^PUT \/certificates/],
  ["finish", /^PUT \/certificates/],
  ["finish", /^POST \/target-policies/],
  ["finish", /^DELETE \/certificates/],
] as const;
const failures: readonly Failure[] = [
  "lost-request",
  "lost-answer",
  { status: 503, type: "ServiceUnavailableException" },
];

test.for(changes.flatMap(([verb, pattern]) => failures.map((how) => [verb, pattern, how] as const)))(
  "%s that failed at %s (%o) is completed by the same command",
  async ([verb, pattern, how]) => {
    const before = [];
    if (verb !== "provision") before.push(await provision(options("folder")));
    if (verb === "finish") before.push(await rotate(options("folder")));
    account.failure = { pattern, how };
    await expect(verbs[verb](options("folder"))).rejects.toMatchObject({ code: "PROVISION_UNREACHABLE" });
    expect(account.failure).toBeUndefined();

    const { current, next, previous } = await verbs[verb](options("folder"));
    expect(next).toBeUndefined();
    expect(before.map((each) => each.current?.id)).not.toContain(verb === "rotate" ? current?.id : undefined);
    expect(previous?.id).toBe(verb === "rotate" ? before[0]?.current?.id : undefined);
    expect(account.certificates.get(current?.id ?? "")?.status).toBe("ACTIVE");
    expect([...(account.certificates.get(current?.id ?? "")?.policies ?? [])]).toEqual([clientId]);
    // A certificate whose key was lost on the way stays inactive, without a policy.
    const known = [current?.id, previous?.id];
    for (const [id, { status, policies }] of account.certificates) {
      if (!known.includes(id)) expect({ how, status, policies }).toEqual({ how: "lost-answer", ...unused });
    }
    expect(await readFile(join(folder, "bridge.pem"), "utf8")).toBe(current?.certificate);
  },
);

const unused = { status: "INACTIVE", policies: new Set() };

test("files are for their owner alone, and written anew where they differ", async () => {
  const { current } = await provision(options("folder"));
  const names = ["amazon-root-ca.pem", "bridge.key", "bridge.pem", "credentials.json"];
  expect((await readdir(folder)).sort()).toEqual(names);
  for (const name of names) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  await rm(join(folder, "bridge.key"));
  await provision(options("folder"));
  expect(await readFile(join(folder, "bridge.key"), "utf8")).toBe(current?.privateKey);
});

test("a changed scheme gives the policy a new version, and the sixth takes the oldest one's place", async () => {
  await provision(options("folder"));
  for (let count = 1; count <= 5; count++) {
    await provision({ ...options("folder"), scheme: schemeWith(count) });
    expect(account.policies.get(clientId)?.versions.at(-1)?.id).toBe(count + 1);
  }
  expect(account.policies.get(clientId)).toMatchObject({ current: 6, versions: [2, 3, 4, 5, 6].map((id) => ({ id })) });
  expect(JSON.stringify(account.documentOf(clientId))).toContain("acme_prod_route4");
  expect(statuses()).toEqual(["ACTIVE"]);
});

test("a scheme that outgrows one policy gets more, and gives them back", async () => {
  await provision({ ...options("folder"), scheme: schemeWith(40) });
  const [certificate] = account.certificates.values();
  expect([...(certificate?.policies ?? [])]).toEqual([clientId, `${clientId}@2`, `${clientId}@3`]);
  await provision({ ...options("folder"), scheme: schemeWith(1) });
  expect([...(certificate?.policies ?? [])]).toEqual([clientId]);
});

test("makes no certificate that could not be kept", async () => {
  await writeFile(join(folder, "file"), "");
  const store = folderStore(join(folder, "file", "below"), callsOf({}));
  await expect(provision({ ...options("folder"), store })).rejects.toMatchObject({ code: "CREDENTIALS_UNWRITABLE" });
  account.failure = { pattern: /^CreateSecret/, how: { status: 400, type: "AccessDeniedException" } };
  await expect(provision(options("secret"))).rejects.toMatchObject({ code: "PROVISION_FORBIDDEN" });
  expect(account.certificates.size).toBe(0);
});

test("an empty secret is filled", async () => {
  account.emptySecrets.add("acme/bridge");
  const credentials = await provision(options("secret"));
  expect(JSON.parse(account.secrets.get("acme/bridge") ?? "")).toEqual(credentials);
});

test("names the certificates that a lost folder has left behind", async () => {
  const { current } = await provision(options("folder"));
  await rm(folder, { recursive: true });
  const told: string[] = [];
  await provision(options("folder", { print: (line) => told.push(line) }));
  expect(told.join("\n")).toContain(`${current?.arn} has the policy of 'acme-prod-edge' too`);
});

test.for([
  ["deactivated", "INACTIVE", "CERTIFICATE_UNUSABLE"],
  ["revoked", "REVOKED", "CERTIFICATE_UNUSABLE"],
] as const)("does not bring back a certificate that was %s; rotate replaces it", async ([, status, code]) => {
  const { current } = await provision(options("folder"));
  const certificate = account.certificates.get(current?.id ?? "");
  if (certificate === undefined) throw new Error("provision makes a certificate");
  certificate.status = status;
  await expect(provision(options("folder"))).rejects.toMatchObject({ code });
  const rotated = await rotate(options("folder"));
  expect(account.certificates.get(rotated.current?.id ?? "")?.status).toBe("ACTIVE");
  await finishRotation(options("folder"));
  expect([...account.certificates.keys()]).toEqual([rotated.current?.id]);
});

test("refuses a folder of another client or another account", async () => {
  await provision(options("folder"));
  const others = { ...options("folder"), clientId: "acme-prod-other" };
  await expect(provision(others)).rejects.toMatchObject({ code: "CREDENTIALS_OTHERS" });
  account.endpointAddress = "zzz-ats.iot.eu-central-1.amazonaws.com";
  await expect(provision(options("folder"))).rejects.toMatchObject({ code: "CREDENTIALS_OTHERS" });
});

test.for([
  ["AccessDeniedException", 403, "PROVISION_FORBIDDEN", /iot:CreatePolicy acme.*need the permission iot:CreatePolicy/],
  ["UnrecognizedClientException", 403, "PROVISION_CREDENTIALS", /AWS_PROFILE/],
  ["ExpiredTokenException", 403, "PROVISION_CREDENTIALS", /have expired/],
  ["MalformedPolicyException", 400, "PROVISION_REFUSED", /iot:CreatePolicy acme-prod-edge: MalformedPolicyException/],
  ["LimitExceededException", 410, "PROVISION_REFUSED", /LimitExceededException/],
  ["ThrottlingException", 400, "PROVISION_UNREACHABLE", /Run the command again/],
] as const)("explains %s", async ([type, status, code, message]) => {
  account.failure = { pattern: /^POST \/policies/, how: { status, type } };
  const failure = await provision(options("folder")).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ProvisionError);
  expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
});

test.for(["rotate", "finish"] as const)("%s wants something to work on", async (verb) => {
  await expect(verbs[verb](options("folder"))).rejects.toMatchObject({ code: "CREDENTIALS_MISSING" });
  expect(account.takeChanges()).toEqual([]);
});

const verbs = { provision, rotate, finish: finishRotation };

interface Choices {
  readonly isDryRun?: boolean;
  readonly print?: (line: string) => void;
}

function options(kind: (typeof stores)[number], choices: Choices = {}): ProvisionOptions {
  const calls = callsOf(choices);
  return { scheme, clientId, iot: account.clients.iot, calls, store: storeOf(kind, calls) };
}

function storeOf(kind: (typeof stores)[number], calls = callsOf({})): CredentialStore {
  return kind === "folder" ? folderStore(folder, calls) : secretStore("acme/bridge", account.clients.secrets, calls);
}

function callsOf({ isDryRun = false, print = () => {} }: Choices): Calls {
  return new Calls({ isDryRun, print });
}

function statuses(): readonly string[] {
  return [...account.certificates.values()].map(({ status }) => status);
}

function withoutIds(calls: readonly string[]): readonly string[] {
  return calls.map((call) => call.replace(/[0-9a-f]{64}/, "ID"));
}

function schemeWith(routes: number) {
  const topics = Array.from({ length: routes }, (_, index) => [
    `route${index}`,
    { topic: `v1/drivers/{deviceId}/route${index}`, qos: 1 } as const,
  ]);
  return defineScheme({ name: "acme", api: { url: "https://api.example.com" }, routes: Object.fromEntries(topics) });
}
