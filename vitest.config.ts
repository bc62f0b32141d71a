import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

if (Number(process.versions.node.split(".")[0]) < 24) {
  throw new Error(`the tests need Node 24 or newer, this is ${process.version}; run them by \`npm test\``);
}

/**
 * Tests that leave nothing behind in their modules: files of these share a worker, one after the other, which spares a quarter of
 * the processor time. Those with an engine do not: its DynamoDB's LevelDB does not survive many starts in one process.
 */
const sharing = [
  ...["scheme", "sql", "client", "lambdas", "infra", "bridge", "start", "operate"].map(
    (folder) => `${folder}/**/*.test.ts`,
  ),
  ...[
    "chaos/*",
    "support/**/*",
    "bridge",
    "broker-*",
    "plain-bridge",
    "push-*",
    "relay",
    "relay-broker-kill",
    "relay-troubles",
  ].map((name) => `test/${name}.test.ts`),
];

class AcrossFoldersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isAcross = ({ moduleId }: TestSpecification) => moduleId.includes("/test/");
    return [...sorted.filter(isAcross), ...sorted.filter((file) => !isAcross(file))];
  }
}

export default defineConfig({
  test: {
    // Real brokers and real bundles share two cores: a wait that is long here is still an event awaited.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest leaves one core free, which of two is half: the longest tests wait more than they compute, so that even two
    // cores have room for four files.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    // What crosses folders takes longest and mostly waits: it begins first, and nothing is left for one core alone at the end.
    sequence: { sequencer: AcrossFoldersFirst },
    projects: [
      { extends: true, test: { name: "sharing", include: sharing, isolate: false, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: "alone",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "cdk.out/**", ".trestle/**", ...sharing],
          sequence: { groupOrder: 0 },
        },
      },
    ],
  },
});
