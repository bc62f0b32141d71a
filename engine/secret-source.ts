import { readFileSync } from "node:fs";
import type { SecretSource } from "./services/secrets.ts";

/**
 * Secrets on one machine: the environment variable `TRESTLE_SECRET_ACME_API_KEY` for the secret `acme/api-key`, else
 * the key `acme/api-key` of a JSON file. Both are read at each request, so that a rotated secret is seen.
 */
export function localSecrets(file: string, environment: NodeJS.ProcessEnv): SecretSource {
  return (name) => {
    const variable = `TRESTLE_SECRET_${name.replaceAll(/[^A-Za-z0-9]/g, "_").toUpperCase()}`;
    return environment[variable] ?? readSecretFile(file).get(name);
  };
}

function readSecretFile(file: string): ReadonlyMap<string, string> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, string>));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw new Error(`${file} is not a JSON object of secrets: ${(error as Error).message}`, { cause: error });
  }
}
