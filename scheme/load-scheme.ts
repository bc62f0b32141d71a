import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Scheme } from "./scheme.ts";
import { SchemeError } from "./scheme-error.ts";

/** The configuration file beside `package.json` that is used when none is named. */
export const defaultConfigFile = "trestle.config.ts";

/**
 * Loads the scheme that a configuration file exports by default. This is the one place in `scheme/` that reads a file:
 * the CDK app, the bridge's commands and `npm start` all need it, and Lambda bundles, which hold the scheme, do not.
 *
 * @throws {SchemeError} with the file's name before each fault.
 */
export async function loadScheme(file: string): Promise<Scheme> {
  const path = resolve(file);
  try {
    if (!existsSync(path)) {
      throw new SchemeError([{ code: "CONFIG_MISSING", at: "the file", message: "does not exist" }]);
    }
    const module: { default?: Scheme } = await import(pathToFileURL(path).href);
    if (!(module.default?.routes instanceof Map)) {
      const message = "has no default export made by defineScheme({…})";
      throw new SchemeError([{ code: "CONFIG_TYPE", at: "export default", message }]);
    }
    return module.default;
  } catch (error) {
    if (!(error instanceof SchemeError)) throw error;
    throw new SchemeError(error.problems, relative(process.cwd(), path) || path, { cause: error });
  }
}
