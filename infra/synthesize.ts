import { join, relative } from "node:path";
import { App, type AppProps } from "aws-cdk-lib";
import cdk from "../cdk.json" with { type: "json" };
import { defaultConfigFile, loadScheme } from "../scheme/load-scheme.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { SchemeError } from "../scheme/scheme-error.ts";
import { projectRoot } from "./bundle.ts";
import { TrestleStack } from "./stack.ts";

export interface SynthesizeOptions {
  /** The scheme's file; `trestle.config.ts` of the project by default. */
  readonly configFile?: string;
  /** Where the cloud assembly goes. */
  readonly outDir: string;
}

export interface Synthesized {
  readonly scheme: Scheme;
  readonly stackName: string;
  /** The CloudFormation template, a JSON file in `outDir`; the bundles lie beside it. */
  readonly templateFile: string;
}

/** What `cdk synth` adds to the context of `cdk.json`, as far as it shows in a template. */
const cliContext = {
  "aws:cdk:enable-path-metadata": true,
  "aws:cdk:enable-asset-metadata": true,
};

/** Synthesizes within this process the template that `cdk synth` gives. @throws {SchemeError} */
export async function synthesize({ configFile, outDir }: SynthesizeOptions): Promise<Synthesized> {
  const app = createApp({ outdir: outDir, context: { ...cdk.context, ...cliContext } });
  const { scheme, stack } = await addStack(app, configFile);
  const { templateFullPath } = app.synth().getStackByName(stack.stackName);
  return { scheme, stackName: stack.stackName, templateFile: templateFullPath };
}

/** An app that writes what deploying needs, and reports nothing to anybody. */
export function createApp(props: AppProps = {}): App {
  return new App({ analyticsReporting: false, treeMetadata: false, ...props });
}

/** Puts the stack of a scheme into an app. @throws {SchemeError} with the file's name. */
export async function addStack(
  app: App,
  configFile = join(projectRoot, defaultConfigFile),
): Promise<{ readonly scheme: Scheme; readonly stack: TrestleStack }> {
  const scheme = await loadScheme(configFile);
  try {
    return { scheme, stack: new TrestleStack(app, { scheme, configFile }) };
  } catch (error) {
    // A limit of AWS that a scheme as such does not have, e.g. for `api.maxConcurrency`.
    if (!(error instanceof SchemeError)) throw error;
    throw new SchemeError(error.problems, relative(process.cwd(), configFile), { cause: error });
  }
}
