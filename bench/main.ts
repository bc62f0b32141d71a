import { parseArgs } from "node:util";
import { benchCommands } from "./commands.ts";
import { benchIsolation } from "./isolation.ts";
import { benchRecovery } from "./recovery.ts";
import { benchRelay } from "./relay.ts";
import { benchSpine } from "./spine.ts";
import { benchSql } from "./sql.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    messages: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", multiple: true, default: [] },
    baseline: { type: "string" },
  },
});

const { only, baseline } = values;
const messages = Number(values.messages);
const rounds = Number(values.rounds);

/** The benchmarks by name; the first is the one without a name. */
const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
  spine: () => benchSpine({ messages, rounds, only, baseline }),
  recovery: () => benchRecovery({ messages, rounds }),
  isolation: () => benchIsolation({ rounds, only }),
  commands: () => benchCommands({ rounds, only }),
  relay: () => benchRelay({ rounds, only }),
  sql: () => benchSql({ rounds, only }),
};

const name = positionals[0] ?? "spine";
const run = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
if (run === undefined) {
  console.error(`there is no benchmark '${name}'; there are ${Object.keys(benchmarks).join(", ")}`);
  process.exitCode = 2;
} else {
  await run();
}
