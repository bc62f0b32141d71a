import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { defaultConfigFile } from "../scheme/load-scheme.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { apiSecretNames, brokerSecretNames, hasLease, usesDataPlane } from "./scheme-needs.ts";

/** The folder of `package.json`, `cdk.json` and the scheme. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** A folder of `lambdas/` with a `handler.ts`. */
export type FunctionFolder = "forward" | "circuit" | "dead-letters" | "push" | "sweep" | "reply";

export interface BundleOptions {
  /** The scheme's file, which `#scheme` stands for. */
  readonly configFile: string;
  readonly scheme: Scheme;
  readonly folder: FunctionFolder;
}

/** What a function of a bundle is configured with. */
export const bundleHandler = "index.handler";

/** Folders of bundles by what they were made of: three functions are `forward`. They go with the process. */
const bundles = new Map<string, string>();
let bundlesFolder: string | undefined;

/**
 * Makes the bundle of a Lambda function, the scheme in it, and gives its folder, which is there as long as the process.
 *
 * The same code gives the same bytes wherever the project and the output are. By esbuild's own interface: the CDK's
 * construct runs it by `npx`, a process of npm's for each function, which takes three times as long as the work.
 *
 * @throws {Error} of esbuild, which it has printed.
 */
export function bundle({ configFile, scheme, folder }: BundleOptions): string {
  const file = resolve(configFile);
  const external = unusedPackages(folder, scheme);
  const key = JSON.stringify([file, folder, external]);
  const known = bundles.get(key);
  if (known !== undefined) return known;
  const made = join(makeBundlesFolder(), String(bundles.size));
  mkdirSync(made);
  for (const { path, contents } of build(file, folder, external)) writeFileSync(join(made, basename(path)), contents);
  bundles.set(key, made);
  return made;
}

function build(configFile: string, folder: FunctionFolder, external: string[]) {
  const isDefault = configFile === join(projectRoot, defaultConfigFile);
  const { outputFiles } = buildSync({
    absWorkingDir: projectRoot,
    entryPoints: [join(projectRoot, `lambdas/${folder}/handler.ts`)],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    // Nothing is written there: sources are named as seen from the place of the output.
    outfile: join(projectRoot, "index.mjs"),
    write: false,
    logLevel: "warning",
    mainFields: ["module", "main"],
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    // The AWS SDK is bundled: Lambda's own copy loads more slowly, and changes when AWS wants it.
    external,
    // undici calls `require` for parts of Node, which an ES module does not have.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    ...(isDefault ? {} : { alias: { "#scheme": configFile } }),
  });
  return outputFiles.map(({ path, text }) => ({ path, contents: path.endsWith(".map") ? withoutPlace(text) : text }));
}

/** A source map without the place of what lies outside the project: a configuration file, or packages that are linked in. */
function withoutPlace(text: string): string {
  const sourceMap: { sources: string[] } = JSON.parse(text);
  sourceMap.sources = sourceMap.sources.map((source) => {
    if (!source.startsWith("..")) return source;
    const packages = source.lastIndexOf("node_modules/");
    return packages < 0 ? basename(source) : source.slice(packages);
  });
  return JSON.stringify(sourceMap);
}

function makeBundlesFolder(): string {
  if (bundlesFolder !== undefined) return bundlesFolder;
  const folder = mkdtempSync(join(tmpdir(), "trestle-bundles-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  bundlesFolder = folder;
  return folder;
}

/** Names of the secrets that a function reads. */
const secretsOf: Readonly<Record<FunctionFolder, (scheme: Scheme) => readonly string[]>> = {
  forward: apiSecretNames,
  circuit: apiSecretNames,
  "dead-letters": () => [],
  push: brokerSecretNames,
  sweep: brokerSecretNames,
  reply: () => [],
};

/** Packages that are imported when a scheme asks for what they do, and that a bundle goes without where it does not. */
function unusedPackages(folder: FunctionFolder, scheme: Scheme): string[] {
  return [
    ...(secretsOf[folder](scheme).length > 0 ? [] : ["@aws-sdk/client-secrets-manager"]),
    ...(hasLease(scheme) ? [] : ["@aws-lambda-powertools/idempotency"]),
    ...(usesDataPlane(scheme) ? [] : ["@aws-sdk/client-iot-data-plane"]),
  ];
}
