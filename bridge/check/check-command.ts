import { parseArgs } from "node:util";
import type { MosquittoVersion } from "../options.ts";
import { UsageError } from "../usage-error.ts";
import { type CheckResult, checkConf } from "./check-conf.ts";
import type { Finding } from "./finding.ts";

export const checkHelp = `Usage: npm run bridge -- check [options] FILE...

Says what is wrong with a mosquitto.conf: open, not durable, or not what AWS IoT Core takes; each with its line, the
directive and the reason. Files that it includes are read as well; keys and certificates that it names, where they are here.
Every connection is taken for one to AWS IoT Core, or to a relay on the same machine.

  --mosquitto 2.0|2.1     release that will read them, 2.1 by default
  --strict                exit with 1 over a warning, too
  --json                  the findings as JSON

Exits with 1 where something is refused.`;

/**
 * `check`: prints the findings of each file.
 *
 * @returns the exit code.
 * @throws {UsageError}
 */
export async function checkCommand(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    print(checkHelp);
    return 0;
  }
  if (positionals.length === 0) throw new UsageError("a FILE is needed");
  const version = versionOf(values.mosquitto);
  const results = await Promise.all(positionals.map((file) => checkConf(file, { version })));
  for (const line of values.json ? [toJson(results)] : results.flatMap(toText)) print(line);
  const findings = results.flatMap((result) => result.findings);
  return findings.some(({ severity }) => severity === "refused" || values.strict) ? 1 : 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        json: { type: "boolean", default: false },
        strict: { type: "boolean", default: false },
        mosquitto: { type: "string", default: "2.1" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function versionOf(text: string): MosquittoVersion {
  if (text === "2.0" || text === "2.1") return text;
  throw new UsageError(`--mosquitto '${text}' is not 2.0 or 2.1`);
}

function toJson(results: readonly CheckResult[]): string {
  return JSON.stringify(results, undefined, 2);
}

function toText({ files: [file = ""], findings, unchecked }: CheckResult): readonly string[] {
  const refused = findings.filter(({ severity }) => severity === "refused").length;
  const counts = `${refused} refused, ${findings.length - refused} warnings`;
  return [
    ...findings.flatMap(toLines),
    ...unchecked.map(({ directive, path, why }) => `not looked at: ${directive} ${path}: ${why}`),
    `${file}: ${findings.length === 0 ? "nothing to find fault with" : counts}`,
  ];
}

function toLines({ file, line, severity, code, directive, text, reason, source }: Finding): readonly string[] {
  return [
    `${file}:${line}: ${severity} ${code}: ${text ?? `${directive} is missing`}`,
    `    ${reason}`,
    `    (${source})`,
  ];
}
