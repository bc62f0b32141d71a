import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { projectRoot } from "./bundling.ts";
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

test("gives what the CDK's command line gives, wherever that writes to", async () => {
  expect(await cdkSynth(projectRoot)).toBe(template);
});

test("gives the same from another checkout", async () => {
  const root = await temporaryFolder();
  onTestFinished(async () => await rm(root, { recursive: true }));
  for (const name of [
    "cdk.json",
    "package.json",
    "package-lock.json",
    "trestle.config.ts",
    "infra",
    "lambdas",
    "scheme",
  ]) {
    await cp(join(projectRoot, name), join(root, name), { recursive: true });
  }
  await symlink(join(projectRoot, "node_modules"), join(root, "node_modules"));
  expect(await cdkSynth(root)).toBe(template);
});

test("tells nothing of this machine", async () => {
  const [asset = ""] = (await readdir(outDir)).filter((name) => name.startsWith("asset."));
  const sourceMap = await readFile(join(outDir, asset, "index.mjs.map"), "utf8");
  for (const text of [template, sourceMap, await readFile(join(outDir, asset, "index.mjs"), "utf8")]) {
    expect(text).not.toContain(projectRoot);
    expect(text).not.toContain(tmpdir());
  }
  const { sources }: { readonly sources: readonly string[] } = JSON.parse(sourceMap);
  expect(sources).toContain("lambdas/forward/handler.ts");
  expect(sources.filter((source) => source.startsWith("/") || source.startsWith(".."))).toEqual([]);
});

test("bundles a function that runs by itself", async () => {
  const requests: [string | undefined, IncomingHttpHeaders][] = [];
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers]);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());

  const [asset = ""] = (await readdir(outDir)).filter((name) => name.startsWith("asset."));
  const bundle = pathToFileURL(join(outDir, asset, "index.mjs")).href;
  const data = Buffer.from('{"header":{},"body":1}').toString("base64");
  const message = { data, receivedAt: 0, traceId: "t-1" };
  const health = { ...message, route: "health", topic: "v1/drivers/d1/health" };
  const location = JSON.stringify({ ...message, route: "location", topic: "v1/drivers/d2/location" });
  const record = { messageId: "m-1", body: location, attributes: { ApproximateReceiveCount: "1" } };
  const script = join(outDir, "run.mjs");
  await writeFile(
    script,
    `import { handler } from ${JSON.stringify(bundle)};
     await handler(${JSON.stringify(health)}, { awsRequestId: "r-1" });
     const answer = await handler({ Records: [${JSON.stringify(record)}] }, { awsRequestId: "r-2" });
     console.error(JSON.stringify(answer));
     process.exit();`,
  );
  const env = {
    API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`,
    PARALLEL_REQUESTS: "10",
    POWERTOOLS_SERVICE_NAME: "sample-dev",
    POWERTOOLS_METRICS_NAMESPACE: "Trestle",
    NODE_OPTIONS: "--enable-source-maps",
  };
  const { stderr } = await run(process.execPath, [script], { env });
  expect(JSON.parse(stderr)).toEqual({ batchItemFailures: [] });
  expect(requests).toMatchObject([
    ["/base/v1/drivers/d1/health", { "idempotency-key": "t-1" }],
    ["/base/v1/drivers/d2/location", { "idempotency-key": "m-1" }],
  ]);
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
  const [asset = ""] = (await readdir(join(folder, "out"))).filter((name) => name.startsWith("asset."));
  const bundle = await readFile(join(folder, "out", asset, "index.mjs"), "utf8");
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
