import { help, readOptions, UsageError } from "./options.ts";
import { describeReport, failuresOf } from "./report.ts";
import { runChaos } from "./run.ts";

// What was started ends with this process where that exits, which a signal alone is not.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(help);
  else {
    const report = await runChaos({ ...options, print: (line) => console.log(line) });
    for (const line of describeReport(report)) console.log(line);
    process.exitCode = failuresOf(report).length === 0 ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
