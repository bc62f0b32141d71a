import { parseArgs } from "node:util";
import { fuzz } from "./fuzzing/fuzz.ts";

// Fuzzes statements and payloads: node sql/fuzz.ts --runs 1000000 --seed 1

const MAX_CPU_MS = 50;
const SHOWN = 300;

const { values } = parseArgs({
  options: { runs: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});
const report = fuzz(Number(values.runs), Number(values.seed));
const slow = report.slowest.filter(({ cpuMs }) => cpuMs > MAX_CPU_MS);

for (const crash of report.crashes) console.log(`crash: ${crash}\n`);
console.log(`${report.runs} statements, ${report.compiled} of them compiled; ${report.evaluations} evaluations`);
console.log(`slowest to compile or refuse: ${report.slowestCompilation.cpuMs.toFixed(2)} ms`);
console.log("slowest evaluations, each the least of four runs:");
for (const { cpuMs, sql, payload } of report.slowest) {
  console.log(`  ${cpuMs.toFixed(2).padStart(7)} ms  ${sql.slice(0, SHOWN)}`);
  if (cpuMs > MAX_CPU_MS) console.log(`             payload in base64: ${payload}`);
}
console.log(`${report.crashes.length} crashes, ${slow.length} evaluations over ${MAX_CPU_MS} ms of CPU time`);
process.exitCode = report.crashes.length + slow.length === 0 ? 0 : 1;
