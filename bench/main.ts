import { parseArgs } from "node:util";
import { benchSpine } from "./spine.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    messages: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
  },
});

/** The benchmarks by name; the first is the one without a name. */
const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
  spine: () => benchSpine({ messages: Number(values.messages), rounds: Number(values.rounds), only: values.only }),
};

const name = positionals[0] ?? "spine";
const run = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
if (run === undefined) {
  console.error(`there is no benchmark '${name}'; there are ${Object.keys(benchmarks).join(", ")}`);
  process.exitCode = 2;
} else {
  await run();
}
