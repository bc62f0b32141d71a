import { mkdirSync, openSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { engineUser } from "../../start/broker.ts";
import type { Subject } from "../subject.ts";
import { Child } from "../support/child.ts";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

export interface EngineSubjectOptions {
  readonly name: string;
  /** The checkout whose engine and template are meant; this one by default. */
  readonly root?: string;
  /** The scheme's file in it. */
  readonly configFile?: string;
}

/** An engine with the template and the bundles that its checkout would deploy. */
export function engineOf(options: EngineSubjectOptions): Subject {
  const { name, root = projectRoot, configFile = "bench/bench.config.ts" } = options;
  const assembly = join(root, ".trestle/bench-assembly", basename(configFile, ".config.ts"));
  return {
    name,
    isDurable: true,
    async prepare() {
      // A process of its own: another checkout has a CDK app of its own.
      const program = `const { synthesize } = await import("./infra/synthesize.ts");
        await synthesize(${JSON.stringify({ configFile: join(root, configFile), outDir: assembly })});`;
      const synthesis = Child.spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
      const exitCode = await synthesis.ended;
      return exitCode === 0 ? undefined : `no template was synthesized in ${root} (exit code ${exitCode})`;
    },
    async start({ brokerUrl, apiUrl, folder }) {
      mkdirSync(folder, { recursive: true });
      const args = ["--assembly", assembly, "--data", join(folder, "data"), "--broker", brokerUrl];
      args.push("--username", engineUser, "--parameter", `ApiUrl=${apiUrl}`);
      return Child.spawn(process.execPath, [join(root, "engine/main.ts"), ...args], {
        cwd: root,
        stdio: ["ignore", "ignore", openSync(join(folder, "engine.log"), "w")],
      });
    },
  };
}

/** This project's engine. */
export const engine = engineOf({ name: "Trestle's engine, durable" });

/** The same where each message is kept before its request. */
export const engineThatKeeps = engineOf({ name: "the same, with keep", configFile: "bench/keep.config.ts" });

/** The same beside the broker that `npm start` has: it writes its state to disk. */
export const engineWithGeneratedBroker: Subject = {
  ...engine,
  name: "the same, generated broker configuration",
  wantsGeneratedBroker: true,
};
