import { BrokerConnection, type BrokerOptions } from "./broker-connection.ts";
import { Engine, type EngineCounts, type EngineOptions } from "./engine.ts";
import { KnownFilters } from "./known-filters.ts";
import type { SecretSource } from "./services/secrets.ts";
import { ServicesFile } from "./services-file.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";

export interface RunOptions
  extends Pick<EngineOptions, "dataFolder" | "maximumStoreBytes" | "onOutput" | "queueConditions" | "minuteMs"> {
  /** The cloud assembly, what `cdk synth` wrote. */
  readonly assemblyFolder: string;
  /** Values of the template's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: SecretSource;
  readonly broker: Omit<BrokerOptions, "topicFilters" | "accept" | "log" | "clientId"> & { readonly clientId?: string };
  readonly log: (line: string) => void;
}

/** A running engine: counts to watch, and an end that loses nothing. */
export interface RunningEngine extends AsyncDisposable {
  readonly counts: EngineCounts;
}

/**
 * Starts everything that a template needs on one machine and connects it to a broker.
 *
 * @throws {EngineError} before anything is taken from the broker.
 */
export async function runEngine(options: RunOptions): Promise<RunningEngine> {
  const { assemblyFolder, parameters, broker, log } = options;
  const plan = readPlan(readAssembly(assemblyFolder), parameters);
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(await Engine.start(plan, options));
  stack.use(new ServicesFile(options.dataFolder, engine.services));
  const filters = new KnownFilters(options.dataFolder);
  const { topicFilters } = engine;
  const connection = stack.use(
    await BrokerConnection.open({
      clientId: `trestle-engine-${plan.stackName}`,
      ...broker,
      topicFilters,
      staleTopicFilters: filters.staleBeside(topicFilters),
      accept: (message, delivery) => engine.accept(message, delivery),
      log,
    }),
  );
  filters.write(topicFilters);
  const parts = stack.move();
  return {
    get counts() {
      return engine.counts;
    },
    async [Symbol.asyncDispose]() {
      await connection.stop();
      await engine.stop();
      await parts.disposeAsync();
    },
  };
}
