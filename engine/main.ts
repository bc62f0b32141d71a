import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EngineError } from "./engine-error.ts";
import { runEngine } from "./run-engine.ts";
import { localSecrets } from "./secret-source.ts";
import { tokenFileName } from "./services/local-token.ts";

const usage = `Runs a synthesized template on this machine.

  node engine/main.ts --broker mqtt://127.0.0.1:1883 [options]

  --assembly DIR        what cdk synth wrote (cdk.out)
  --data DIR            where queues are kept (.trestle)
  --broker URL          mqtt://host:port or mqtts://host:port
  --client-id ID        the engine's session at the broker
  --username NAME       and --password-file FILE
  --ca FILE             who signed the broker's certificate, PEM; --cert FILE and --key FILE for mutual TLS
  --parameter KEY=VALUE a parameter of the template, e.g. ApiUrl=http://127.0.0.1:8080; repeatable
  --secrets FILE        a JSON object of secrets by name (DIR/secrets.json in --data)
  --minute-ms MS        how long a minute of the template's schedules takes (15000)
  --http-port PORT      where the template's HTTP API is served on loopback (any that is free)
  --max-store-bytes N   size at which the queues refuse messages, as they do on a full disk (none)
  --counts              prints a JSON line of counts every second`;

const { values } = parseArgs({
  options: {
    assembly: { type: "string", default: "cdk.out" },
    data: { type: "string", default: ".trestle" },
    broker: { type: "string" },
    "client-id": { type: "string" },
    username: { type: "string" },
    "password-file": { type: "string" },
    ca: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
    parameter: { type: "string", multiple: true, default: [] },
    secrets: { type: "string" },
    "minute-ms": { type: "string" },
    "http-port": { type: "string" },
    "max-store-bytes": { type: "string" },
    counts: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help || values.broker === undefined) {
  console.error(usage);
  process.exit(values.help ? 0 : 2);
}

try {
  await run(values.broker);
} catch (error) {
  if (!(error instanceof EngineError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = 1;
}

async function run(brokerUrl: string): Promise<void> {
  const { ca, cert, key, username } = values;
  const stopped = new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  const engine = await runEngine({
    assemblyFolder: values.assembly,
    dataFolder: values.data,
    parameters: Object.fromEntries(values.parameter.map(parseParameter)),
    secrets: localSecrets(values.secrets ?? join(values.data, "secrets.json"), process.env),
    broker: {
      url: brokerUrl,
      ...(values["client-id"] === undefined ? {} : { clientId: values["client-id"] }),
      ...(username === undefined ? {} : { username }),
      ...(values["password-file"] === undefined
        ? {}
        : { password: readFileSync(values["password-file"], "utf8").trim() }),
      tls: { ...file("ca", ca), ...file("cert", cert), ...file("key", key) },
    },
    ...(values["minute-ms"] === undefined ? {} : { minuteMs: parseMinute(values["minute-ms"]) }),
    ...(values["http-port"] === undefined ? {} : { httpPort: parsePort(values["http-port"]) }),
    ...(values["max-store-bytes"] === undefined ? {} : { maximumStoreBytes: parseBytes(values["max-store-bytes"]) }),
    onOutput: (_, line) => console.error(line),
    log: (line) => console.error(line),
  });
  console.log("engine: running");
  if (engine.httpApi !== undefined) {
    console.log(`http api: ${engine.httpApi.url}, with the token in ${join(values.data, tokenFileName)}`);
  }
  const ticker = values.counts ? setInterval(() => console.log(JSON.stringify(engine.counts)), 1000) : undefined;
  await stopped;
  clearInterval(ticker);
  await engine[Symbol.asyncDispose]();
}

function parseParameter(text: string): [string, string] {
  const end = text.indexOf("=");
  if (end > 0) return [text.slice(0, end), text.slice(end + 1)];
  console.error(`--parameter ${text} is not KEY=VALUE`);
  return process.exit(2);
}

function parseMinute(text: string): number {
  const milliseconds = Number(text);
  if (Number.isInteger(milliseconds) && milliseconds > 0) return milliseconds;
  console.error(`--minute-ms ${text} is not a number of milliseconds`);
  return process.exit(2);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  console.error(`--http-port ${text} is not a port`);
  return process.exit(2);
}

function parseBytes(text: string): number {
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  console.error(`--max-store-bytes ${text} is not a number of bytes`);
  return process.exit(2);
}

/** A file's text under a key, nothing where no file is named. */
function file<Key extends string>(key: Key, path: string | undefined): { readonly [K in Key]?: string } {
  return path === undefined ? {} : ({ [key]: readFileSync(path, "utf8") } as { [K in Key]: string });
}
