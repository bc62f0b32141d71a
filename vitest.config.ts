import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

if (Number(process.versions.node.split(".")[0]) < 24) {
  throw new Error(`the tests need Node 24 or newer, this is ${process.version}; run them by \`npm test\``);
}

/**
 * Folders whose tests leave nothing behind in their modules: files of these share a worker, one after the other, which spares a
 * quarter of the processor time.
 */
const sharing = ["scheme", "sql", "client", "lambdas", "infra", "bridge", "engine", "start", "operate"].map(
  (folder) => `${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    // Real brokers and real bundles share two cores: a wait that is long here is still an event awaited.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest leaves one core free, which of two is half: the longest tests wait more than they compute, so that even two
    // cores have room for four files.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    projects: [
      { extends: true, test: { name: "sharing", include: sharing, isolate: false } },
      {
        extends: true,
        test: {
          name: "alone",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "cdk.out/**", ".trestle/**", ...sharing],
        },
      },
    ],
  },
});
