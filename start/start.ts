import { createWriteStream, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { UsageError } from "../bridge/usage-error.ts";
import { type RunningEngine, runEngine } from "../engine/run-engine.ts";
import { localSecrets } from "../engine/secret-source.ts";
import { synthesize } from "../infra/synthesize.ts";
import { engineUser, pushUser, startLocalBroker } from "./broker.ts";
import { Drivers } from "./drivers.ts";
import { errorLine } from "./error-line.ts";
import { liveLine } from "./live-line.ts";
import { localParameters, readNeeds } from "./local-parameters.ts";
import type { StartOptions } from "./options.ts";
import { pushLines } from "./push-lines.ts";
import { startSampleApi } from "./sample-api.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Starts the parts in the order in which a message leaves them, runs until `stopped` resolves, and stops them in
 * reverse: drivers first, so that what they sent still arrives.
 *
 * @throws {UsageError | SchemeError | EngineError | BridgeError}
 */
export async function start(options: StartOptions, terminal: Terminal, stopped: Promise<void>): Promise<void> {
  const { dataFolder, configFile } = options;
  await checkPorts(options);
  mkdirSync(dataFolder, { recursive: true });
  const assemblyFolder = join(dataFolder, "cdk.out");
  const { scheme, templateFile } = await synthesize({ configFile, outDir: assemblyFolder });
  const needs = readNeeds(templateFile);
  if (needs.hasPushEndpoint) await checkPort(options.pushPort, "push endpoint");

  await using parts = new AsyncDisposableStack();
  const logFile = join(dataFolder, "trestle.log");
  const log = parts.adopt(createWriteStream(logFile, { flags: "a" }), (file) => {
    file.end();
  });
  const note = (line: string) => log.write(`${line}\n`);

  const api =
    options.apiUrl === undefined
      ? parts.use(await startSampleApi(options.apiPort, (line) => terminal.print(line)))
      : { url: options.apiUrl };
  const broker =
    options.brokerUrl === undefined
      ? parts.use(await startLocalBroker(scheme, options.brokerPort, join(dataFolder, "broker"), note))
      : { url: options.brokerUrl, description: "not started here" };
  const isOwnBroker = options.brokerUrl === undefined;
  const engine = parts.use(
    await runEngine({
      assemblyFolder,
      dataFolder: join(dataFolder, "queues"),
      parameters: localParameters(scheme, needs, {
        apiUrl: api.url,
        brokerUrl: isOwnBroker ? withUser(broker.url, pushUser) : broker.url,
      }),
      secrets: localSecrets(join(dataFolder, "secrets.json"), process.env),
      broker: { url: broker.url, ...(isOwnBroker ? { username: engineUser } : {}) },
      ...(isOwnBroker ? { publisher: { username: pushUser } } : {}),
      httpPort: options.pushPort,
      onOutput: (_, line) => {
        note(line);
        const error = errorLine(line);
        if (error !== undefined) terminal.print(`  ${error}`);
      },
      log: (line) => {
        note(line);
        terminal.print(`  ${line}`);
      },
    }),
  );
  terminal.print(`devices   ${withoutCredentials(broker.url)}   (${broker.description})`);
  terminal.print(`api       ${api.url}   ${options.apiUrl === undefined ? "(sample, prints what it receives)" : ""}`);
  for (const route of scheme.routes.values()) {
    terminal.print(`  ${route.topic.source}  QoS ${route.qos}  →  ${route.method} ${route.path.source}`);
  }
  for (const line of pushLines(scheme, engine.httpApi)) terminal.print(line);
  terminal.print(`log       ${relative(process.cwd(), logFile)}`);
  if (options.devices > 0) {
    parts.use(await Drivers.start(broker.url, options.devices, scheme));
    terminal.print(`drivers   ${options.devices} simulated, d1 to d${options.devices}`);
  }
  terminal.print("Ctrl-C stops everything.\n");
  await watch(engine, terminal, stopped);
}

/** Shows the live line every second until it is time to stop. */
async function watch(engine: RunningEngine, terminal: Terminal, stopped: Promise<void>): Promise<void> {
  let before = engine.counts;
  let beforeAt = performance.now();
  const ticker = setInterval(() => {
    const counts = engine.counts;
    const now = performance.now();
    terminal.showStatus(liveLine(counts, before, (now - beforeAt) / 1000));
    before = counts;
    beforeAt = now;
  }, 1000);
  await stopped;
  clearInterval(ticker);
  terminal.endStatus();
  terminal.print("stopping");
}

/** Taken ports are told before anything is started. */
async function checkPorts({ brokerUrl, apiUrl, brokerPort, apiPort }: StartOptions): Promise<void> {
  if (brokerUrl === undefined) await checkPort(brokerPort, "broker");
  if (apiUrl === undefined) await checkPort(apiPort, "sample API");
}

function checkPort(port: number, user: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () => {
      reject(new UsageError(`port ${port}, wanted for the ${user}, is taken; --port-base PORT moves the ports`));
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

function withUser(url: string, user: string): string {
  return url.replace("//", `//${user}@`);
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
