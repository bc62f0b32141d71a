import { parseArgs } from "node:util";
import { defaultConfigFile, loadScheme } from "../../scheme/load-scheme.ts";
import { SchemeError } from "../../scheme/scheme-error.ts";
import { buildOpenApi } from "./openapi.ts";

const help = `Usage: npm run openapi -- [options]

  --config FILE    the topic scheme, ${defaultConfigFile} by default

Prints the OpenAPI document of the push endpoint.`;

try {
  const { values } = parseArgs({
    options: { config: { type: "string", default: defaultConfigFile }, help: { type: "boolean", short: "h" } },
  });
  console.log(values.help ? help : JSON.stringify(buildOpenApi(await loadScheme(values.config)), undefined, 2));
} catch (error) {
  // What the user can mend is told in their words; the rest is our fault, and keeps its stack.
  if (!(error instanceof SchemeError) && !isUsageError(error)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

function isUsageError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
