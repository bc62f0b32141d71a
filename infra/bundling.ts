import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BundlingOptions, LogLevel, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
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

/** How esbuild makes the bundle of a Lambda function, the scheme in it. */
export function bundling({ configFile, scheme, folder }: BundleOptions): BundlingOptions {
  const file = resolve(configFile);
  const isDefault = file === join(projectRoot, defaultConfigFile);
  return {
    format: OutputFormat.ESM,
    target: "node24",
    logLevel: LogLevel.WARNING,
    mainFields: ["module", "main"],
    minify: true,
    sourceMap: true,
    sourcesContent: false,
    // The AWS SDK is bundled: Lambda's own copy loads more slowly, and changes when AWS wants it.
    externalModules: unusedPackages(folder, scheme),
    // undici calls `require` for parts of Node, which an ES module does not have.
    banner: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    ...(isDefault ? {} : { esbuildArgs: { "--alias": [`#scheme=${file}`] } }),
    commandHooks: {
      beforeBundling: () => [],
      beforeInstall: () => [],
      // esbuild writes the sources relative to the output folder, so that the hash would tell where that is.
      afterBundling: (inputDir, outputDir) => [
        [process.execPath, join(inputDir, "infra/source-map.ts"), inputDir, join(outputDir, "index.mjs.map")]
          .map((argument) => `'${argument.replaceAll("'", "'\\''")}'`)
          .join(" "),
      ],
    },
  };
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
