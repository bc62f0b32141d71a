import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../bridge/usage-error.ts";
import { defaultConfigFile } from "../scheme/load-scheme.ts";

export const help = `Usage: npm start -- [options]

Runs the whole way of a message on this machine: a broker, the engine with the synthesized template, an API that prints
what it receives, and a few simulated drivers.

  --broker URL       take messages from this broker, mqtt://[user:password@]host:port, instead of starting one
  --api URL          send requests to this API instead of the sample one
  --no-devices       leave the simulated drivers out
  --devices N        simulated drivers, 3 by default
  --port-base PORT   first of the three ports that are used, 18830 by default: broker, sample API, push endpoint
  --config FILE      the topic scheme, ${defaultConfigFile} by default
  --data DIR         where queues and logs are kept, .trestle/PORT by default
  --help`;

export interface StartOptions {
  readonly brokerUrl: string | undefined;
  readonly apiUrl: string | undefined;
  /** Simulated drivers; none where 0. */
  readonly devices: number;
  readonly brokerPort: number;
  readonly apiPort: number;
  /** Where the backend gives commands. */
  readonly pushPort: number;
  readonly configFile: string;
  readonly dataFolder: string;
}

/** Reads the command line, undefined where it asks for help. @throws {UsageError} */
export function readOptions(args: readonly string[]): StartOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  // Below 32768, where Linux takes the local ports of outgoing connections from.
  const base = readNumber("--port-base", values["port-base"], 1024, 32_765);
  return {
    brokerUrl: values.broker && readUrl("--broker", values.broker, ["mqtt:", "mqtts:"]),
    apiUrl: values.api && readUrl("--api", values.api, ["http:", "https:"]),
    devices: values["no-devices"] ? 0 : readNumber("--devices", values.devices, 1, 1000),
    brokerPort: base,
    apiPort: base + 1,
    pushPort: base + 2,
    configFile: resolve(values.config),
    dataFolder: resolve(values.data ?? `.trestle/${base}`),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        broker: { type: "string" },
        api: { type: "string" },
        "no-devices": { type: "boolean", default: false },
        devices: { type: "string", default: "3" },
        "port-base": { type: "string", default: "18830" },
        config: { type: "string", default: defaultConfigFile },
        data: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function readNumber(name: string, text: string, minimum: number, maximum: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= minimum && number <= maximum) return number;
  throw new UsageError(`${name} ${text} is not a whole number from ${minimum} to ${maximum}`);
}

function readUrl(name: string, text: string, protocols: readonly string[]): string {
  const url = URL.parse(text);
  if (url !== null && url.hostname !== "" && protocols.includes(url.protocol)) return text.replace(/\/+$/, "");
  throw new UsageError(`${name} ${text} is not a URL of ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`);
}
