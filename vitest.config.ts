import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

if (Number(process.versions.node.split(".")[0]) < 24) {
  throw new Error(`the tests need Node 24 or newer, this is ${process.version}; run them by \`npm test\``);
}

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "cdk.out/**", ".trestle/**"],
    // Real brokers and real bundles share two cores: a wait that is long here is still an event awaited.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest leaves one core free, which of two is half: the longest tests wait more than they compute, so that even two
    // cores have room for a third file.
    maxWorkers: Math.max(3, availableParallelism() - 1),
  },
});
