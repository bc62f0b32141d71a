import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ingestFrame, memberOf } from "../lambdas/forward/frames/test-member.ts";
import { startTables } from "../lambdas/store/testing.ts";
import { projectRoot } from "./bundle.ts";
import { checkTemplate } from "./check-template.ts";
import { type Synthesized, synthesize } from "./synthesize.ts";

const run = promisify(execFile);

async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "trestle-"));
}

let outDir: string;
let synthesized: Synthesized;
let template: string;

// One for all: it takes seconds.
beforeAll(async () => {
  outDir = await temporaryFolder();
  synthesized = await synthesize({ outDir });
  template = await readFile(synthesized.templateFile, "utf8");
  return async () => await rm(outDir, { recursive: true });
});

/** What `cdk synth` of a checkout makes, with no credentials in sight. */
async function cdkSynth(root: string): Promise<string> {
  const out = await temporaryFolder();
  onTestFinished(async () => await rm(out, { recursive: true }));
  const env = { PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`, HOME: out };
  await run(join(root, "node_modules/.bin/cdk"), ["synth", "--quiet", "--output", join(out, "a/b/cdk.out")], {
    cwd: root,
    env,
  });
  return await readFile(join(out, "a/b/cdk.out", `${synthesized.stackName}.template.json`), "utf8");
}

test("gives the template of the project's scheme", () => {
  expect(synthesized.stackName).toBe(`${synthesized.scheme.name}-${synthesized.scheme.stage}`);
  expect(checkTemplate(JSON.parse(template))).toEqual([]);
});

test("gives what the CDK's command line gives in another checkout, wherever that writes to", async () => {
  const root = await temporaryFolder();
  onTestFinished(async () => await rm(root, { recursive: true }));
  for (const name of [
    "cdk.json",
    "package.json",
    "package-lock.json",
    "tsconfig.json", // esbuild heeds it
    "trestle.config.ts",
    "client",
    "infra",
    "lambdas",
    "scheme",
  ]) {
    await cp(join(projectRoot, name), join(root, name), { recursive: true });
  }
  await symlink(join(projectRoot, "node_modules"), join(root, "node_modules"));
  expect(await cdkSynth(root)).toBe(template);
});

/** The folder of a function's bundle, known by its handler. */
async function bundleOf(folder: string, from = outDir): Promise<string> {
  for (const name of await readdir(from)) {
    if (!name.startsWith("asset.")) continue;
    const { sources }: SourceMap = JSON.parse(await readFile(join(from, name, "index.mjs.map"), "utf8"));
    if (sources.includes(`lambdas/${folder}/handler.ts`)) return join(from, name);
  }
  throw new Error(`no bundle has the handler of ${folder}`);
}

interface SourceMap {
  readonly sources: readonly string[];
}

const functions = ["forward", "circuit", "dead-letters", "push", "sweep", "reply"] as const;

test.for(functions)("the bundle of %s tells nothing of this machine", async (folder) => {
  const bundle = await bundleOf(folder);
  const sourceMap = await readFile(join(bundle, "index.mjs.map"), "utf8");
  for (const text of [template, sourceMap, await readFile(join(bundle, "index.mjs"), "utf8")]) {
    expect(text).not.toContain(projectRoot);
    expect(text).not.toContain(tmpdir());
  }
  const { sources }: SourceMap = JSON.parse(sourceMap);
  expect(sources.filter((source) => source.startsWith("/") || source.startsWith(".."))).toEqual([]);
});

interface FunctionResource {
  readonly Type: string;
  readonly Properties: { readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> } };
  readonly Metadata: Readonly<Record<string, string>>;
}

const standIns: Readonly<Record<string, string>> = { BROKER_URLS: "mqtts://broker.example.com:8883" };

/** Bundle and environment of each function of the template; for what only AWS knows, another text stands. */
function deployedFunctions(): readonly { readonly id: string; readonly folder: string; readonly env: object }[] {
  const { Resources }: { Resources: Readonly<Record<string, FunctionResource>> } = JSON.parse(template);
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === "AWS::Lambda::Function")
    .map(([id, { Properties, Metadata }]) => {
      const entries = Object.entries(Properties.Environment.Variables).map(([name, value]) => {
        if (typeof value === "string") return [name, value];
        return [name, standIns[name] ?? (/URL$/.test(name) ? "https://example.com" : "text")];
      });
      return { id, folder: join(outDir, Metadata["aws:asset:path"] ?? ""), env: Object.fromEntries(entries) };
    });
}

test("each function starts with the environment that it is deployed with", async () => {
  const deployed = deployedFunctions();
  expect(deployed).toHaveLength(8);
  for (const { id, folder, env } of deployed) {
    const script = `const { handler } = await import("./index.mjs"); process.stdout.write(typeof handler);`;
    const started = run(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: folder,
      env: { ...env, AWS_REGION: "eu-central-1" },
    });
    expect([id, (await started).stdout]).toEqual([id, "function"]);
  }
});

test("bundles a function that runs by itself", async () => {
  const requests: [string | undefined, IncomingHttpHeaders][] = [];
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers]);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());

  const { deliveries, deadLetters, endpoint } = await startTables();
  const data = Buffer.from('{"header":{},"body":1}').toString("base64");
  const message = { data, receivedAt: 0, traceId: "t-1" };
  const health = { ...message, route: "health", topic: "v1/drivers/d1/health" };
  const location = JSON.stringify({ ...message, route: "location", topic: "v1/drivers/d2/location" });
  const record = { messageId: "m-1", body: location, receiptHandle: "r", eventSourceARN: "arn:aws:sqs:a:b:c" };
  const environment = {
    API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`,
    PARALLEL_REQUESTS: "10",
    DELIVERIES_TABLE: deliveries,
    DEAD_LETTERS_TABLE: deadLetters,
    CIRCUIT_QUEUE_URL: "https://example.com/circuit",
    FRAMES_QUEUE_URL: "https://example.com/frames",
    MAXIMUM_DELAY_SECONDS: "43000",
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    POWERTOOLS_SERVICE_NAME: "sample-dev",
    POWERTOOLS_METRICS_NAMESPACE: "Trestle",
    NODE_OPTIONS: "--enable-source-maps",
  };
  const invoke = async (lane: string, event: unknown) => {
    const script = `const { handler } = await import("./index.mjs");
      const context = { awsRequestId: "r-1", getRemainingTimeInMillis: () => 60_000 };
      const answer = await handler(${JSON.stringify(event)}, context);
      console.error(JSON.stringify(answer ?? null));
      process.exit();`;
    const { stderr } = await run(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: await bundleOf("forward"),
      env: { ...environment, LANE: lane },
    });
    return JSON.parse(stderr);
  };
  expect(await invoke("direct", health)).toBe(null);
  expect(await invoke("fresh", { Records: [record] })).toEqual({ batchItemFailures: [] });
  const member = memberOf(3);
  expect(await invoke("frames", ingestFrame([member]))).toEqual({ ledger: { sample_dev_location: { delivered: 1 } } });
  expect(requests).toMatchObject([
    ["/base/v1/drivers/d1/health", { "idempotency-key": "t-1" }],
    ["/base/v1/drivers/d2/location", { "idempotency-key": "m-1" }],
    ["/base/v1/drivers/d3/location", { "idempotency-key": member.id }],
  ]);
});

test("a bundle has what is for secrets, leases and the data plane only where its function needs it", async () => {
  const folder = await temporaryFolder();
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const configFile = join(folder, "more.config.ts");
  const defineScheme = JSON.stringify(join(projectRoot, "scheme/define-scheme.ts"));
  await writeFile(
    configFile,
    `import { defineScheme, secret } from ${defineScheme};
     export default defineScheme({
       name: "more",
       api: { url: "https://more.example", headers: { "x-key": secret("key") } },
       routes: { only: { topic: "o/{deviceId}", qos: 1, lease: { hours: 1 } } },
       commands: { topic: "c/{deviceId}", replies: "r/{deviceId}" },
       brokers: [{ url: "aws-iot:" }],
     });`,
  );
  await synthesize({ configFile, outDir: join(folder, "out") });
  /** Of the packages that a function's bundle holds, those in question. */
  const packagesIn = async (from: string, name: string): Promise<readonly string[]> => {
    const map = await readFile(join(await bundleOf(name, from), "index.mjs.map"), "utf8");
    const { sources }: SourceMap = JSON.parse(map);
    return ["client-secrets-manager", "powertools/idempotency", "client-iot-data-plane"].filter((each) =>
      sources.some((source) => source.includes(each)),
    );
  };
  for (const name of functions) expect(await packagesIn(outDir, name)).toEqual([]);
  const more = await Promise.all(functions.map(async (name) => [name, await packagesIn(join(folder, "out"), name)]));
  expect(Object.fromEntries(more)).toEqual({
    forward: ["client-secrets-manager", "powertools/idempotency"],
    circuit: ["client-secrets-manager", "powertools/idempotency"],
    "dead-letters": [],
    push: ["client-iot-data-plane"],
    sweep: ["client-iot-data-plane"],
    reply: [],
  });
});

test("puts the scheme of another file into the bundle", async () => {
  const folder = await temporaryFolder();
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const configFile = join(folder, "other.config.ts");
  const defineScheme = JSON.stringify(join(projectRoot, "scheme/define-scheme.ts"));
  await writeFile(
    configFile,
    `import { defineScheme } from ${defineScheme};
     export default defineScheme({
       name: "other",
       api: { url: "https://other.example" },
       routes: { only: { topic: "o/{deviceId}", qos: 1 } },
     });`,
  );
  const { stackName, scheme } = await synthesize({ configFile, outDir: join(folder, "out") });
  expect(stackName).toBe("other-prod");
  expect([...scheme.routes.keys()]).toEqual(["only"]);
  const bundle = await readFile(join(await bundleOf("forward", join(folder, "out")), "index.mjs"), "utf8");
  expect(bundle).toContain("https://other.example");
  expect(bundle).not.toContain(synthesized.scheme.api.url);
});

test("names the file whose scheme AWS cannot limit", async () => {
  const folder = await temporaryFolder();
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const configFile = join(folder, "tight.config.ts");
  await writeFile(
    configFile,
    `import { defineScheme } from ${JSON.stringify(join(projectRoot, "scheme/define-scheme.ts"))};
     export default defineScheme({
       name: "tight",
       api: { url: "https://api.example", maxConcurrency: 1 },
       routes: { only: { topic: "o/{deviceId}", qos: 1 } },
     });`,
  );
  await expect(synthesize({ configFile, outDir: join(folder, "out") })).rejects.toThrow(
    /tight\.config\.ts: api\.maxConcurrency: 1 is too small/,
  );
});
