import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { synthesize } from "../../infra/synthesize.ts";
import { engineUser } from "../../start/broker.ts";
import type { Subject } from "../subject.ts";
import { Child } from "../support/child.ts";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));
const assembly = join(projectRoot, ".trestle/bench-assembly");

/** This project's engine with the template and the bundles that would be deployed. */
export const engine: Subject = {
  name: "Trestle's engine, durable",
  isDurable: true,
  prepare: async () => {
    await synthesize({ configFile: join(projectRoot, "bench/bench.config.ts"), outDir: assembly });
    return undefined;
  },
  async start({ brokerUrl, apiUrl, folder }) {
    mkdirSync(folder, { recursive: true });
    const args = [
      "--assembly",
      assembly,
      "--data",
      join(folder, "data"),
      "--broker",
      brokerUrl,
      "--username",
      engineUser,
    ];
    const main = join(projectRoot, "engine/main.ts");
    return Child.spawn(process.execPath, [main, ...args, "--parameter", `ApiUrl=${apiUrl}`], {
      stdio: ["ignore", "ignore", openSync(join(folder, "engine.log"), "w")],
    });
  },
};

/** The same beside the broker that `npm start` has: it writes its state to disk. */
export const engineWithGeneratedBroker: Subject = {
  ...engine,
  name: "the same, generated broker configuration",
  wantsGeneratedBroker: true,
};
