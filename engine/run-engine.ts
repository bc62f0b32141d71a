import { BrokerConnection, type BrokerOptions } from "./broker-connection.ts";
import { DataPlaneConnection } from "./data-plane-connection.ts";
import { Engine, type EngineCounts, type EngineOptions, type ServedHttpApi } from "./engine.ts";
import { KnownFilters } from "./known-filters.ts";
import type { SecretSource } from "./services/secrets.ts";
import { ServicesFile } from "./services-file.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";

export interface RunOptions
  extends Pick<
    EngineOptions,
    "dataFolder" | "maximumStoreBytes" | "onOutput" | "queueConditions" | "minuteMs" | "httpPort"
  > {
  /** The cloud assembly, what `cdk synth` wrote. */
  readonly assemblyFolder: string;
  /** Values of the template's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: SecretSource;
  readonly broker: Omit<BrokerOptions, "topicFilters" | "accept" | "log" | "clientId"> & { readonly clientId?: string };
  /**
   * User of the broker that publishes what functions give the data plane of IoT Core, and what rules republish; the
   * engine's own by default.
   */
  readonly publisher?: Pick<BrokerOptions, "username" | "password">;
  readonly log: (line: string) => void;
}

/** A running engine: counts to watch, and an end that loses nothing. */
export interface RunningEngine extends AsyncDisposable {
  readonly counts: EngineCounts;
  /** Undefined where the template has no HTTP API. */
  readonly httpApi: ServedHttpApi | undefined;
}

/**
 * Starts everything that a template needs on one machine and connects it to a broker.
 *
 * @throws {EngineError} before anything is taken from the broker.
 */
export async function runEngine(options: RunOptions): Promise<RunningEngine> {
  const { assemblyFolder, parameters, broker, publisher, log } = options;
  const plan = readPlan(readAssembly(assemblyFolder), parameters);
  const clientId = broker.clientId ?? `trestle-engine-${plan.stackName}`;
  await using stack = new AsyncDisposableStack();
  const dataPlane = stack.use(new DataPlaneConnection({ ...broker, ...publisher, clientId: `${clientId}-data-plane` }));
  const engine = stack.use(await Engine.start(plan, { ...options, messageBroker: () => dataPlane }));
  const { httpApi } = engine;
  stack.use(new ServicesFile(options.dataFolder, { ...engine.services, httpApi }));
  const filters = new KnownFilters(options.dataFolder);
  const { topicFilters } = engine;
  const connection = stack.use(
    await BrokerConnection.open({
      ...broker,
      clientId,
      topicFilters,
      staleTopicFilters: filters.staleBeside(topicFilters),
      accept: (message, delivery, filters) => engine.accept(message, delivery, filters),
      log,
    }),
  );
  filters.write(topicFilters);
  const parts = stack.move();
  return {
    get counts() {
      return engine.counts;
    },
    httpApi,
    async [Symbol.asyncDispose]() {
      await connection.stop();
      await engine.stop();
      await parts.disposeAsync();
    },
  };
}
