import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { defaultConfigFile } from "../../scheme/load-scheme.ts";
import { count, milliseconds } from "../option-values.ts";
import { UsageError } from "../usage-error.ts";
import { defaultBatching } from "./batcher.ts";
import type { RelayOptions } from "./relay.ts";
import { defaultMaxConnections } from "./uplink.ts";
import { defaultAcknowledgeWithinMs } from "./uplink-connection.ts";

export const defaultDataFolder = ".trestle/relay";
const defaultBroker = "mqtt://127.0.0.1:1883";
const defaultUser = "trestle.relay";
const defaultHttp = "127.0.0.1:9464";

/** Of what waits. */
const longestMs = 60_000;

export const relayHelp = `Usage: npm run bridge -- relay --credentials DIR | --secret NAME [options]
       npm run bridge -- relay --endpoint HOST --ca FILE --cert FILE --key FILE [options]

Takes the messages of the scheme's routes from the broker beside it and publishes them to AWS IoT Core, many in one publish,
below its quotas. It acknowledges to the broker what IoT Core has acknowledged. The scheme says uplink: "relay".

  --config FILE         topic scheme, ${defaultConfigFile} by default

IoT Core
  --credentials DIR     what provision --out DIR has written
  --secret NAME         what provision --secret NAME has written, in --region NAME
  --endpoint HOST       or HOST:PORT (8883), and
  --ca, --cert, --key   PEM files, and
  --client-id ID        <name>-<stage>-edge by default; further connections have :2, :3 and so on behind it
  --connections N       connections at most, ${defaultMaxConnections} by default
  --puback-within T     then a connection that brought no PUBACK is made again, at half the pace; ${defaultAcknowledgeWithinMs / 1000}s by default

The broker
  --broker URL          ${defaultBroker} by default
  --broker-ca FILE      who signed the broker's certificate, where it is no public authority
  --broker-cert FILE    and --broker-key FILE, where the broker wants a certificate of its clients
  --user NAME           ${defaultUser} by default
  --password-file FILE  the user's password, and nothing else in it

  --delay T             that the first message of a frame waits for others, ${defaultBatching.delayMs}ms by default
  --batch N             messages of a frame at most, ${defaultBatching.maxMessages} by default
  --data DIR            where the ids of the last messages are kept, ${defaultDataFolder} by default
  --http ADDRESS:PORT   /healthz and /metrics, ${defaultHttp} by default

SIGTERM and SIGINT end it: what is under way has five seconds to arrive, the rest is the broker's still.`;

/** Where the credentials for IoT Core come from. */
export type CloudPlace =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "secret"; readonly name: string; readonly region: string | undefined }
  | { readonly kind: "files"; readonly endpoint: string; readonly clientId: string | undefined; readonly tls: Files };

interface Files {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface RelayCommandOptions extends Pick<RelayOptions, "local" | "dataFolder" | "maxConnections"> {
  readonly configFile: string;
  readonly place: CloudPlace;
  readonly acknowledgeWithinMs: number;
  readonly batching: NonNullable<RelayOptions["batching"]>;
  readonly http: { readonly host: string; readonly port: number };
}

/** Reads the command line and the files of the broker's side; undefined where it asks for help. @throws {UsageError} */
export async function readRelayOptions(args: readonly string[]): Promise<RelayCommandOptions | undefined> {
  const values = parse(args);
  if (values.help) return undefined;
  const { "password-file": passwordFile } = values;
  return {
    configFile: values.config,
    place: readPlace(values),
    acknowledgeWithinMs: milliseconds("--puback-within", values["puback-within"], longestMs),
    maxConnections: count("--connections", values.connections, 1_000),
    local: {
      url: values.broker,
      username: values.user,
      ...(passwordFile === undefined ? {} : { password: (await text("--password-file", passwordFile)).trim() }),
      tls: {
        ...(await file("ca", "--broker-ca", values["broker-ca"])),
        ...(await file("cert", "--broker-cert", values["broker-cert"])),
        ...(await file("key", "--broker-key", values["broker-key"])),
      },
    },
    batching: {
      delayMs: milliseconds("--delay", values.delay, longestMs),
      maxMessages: count("--batch", values.batch, 100),
    },
    dataFolder: resolve(values.data),
    http: readHttp(values.http),
  };
}

type Values = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  const string = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        config: { ...string, default: defaultConfigFile },
        credentials: string,
        secret: string,
        region: string,
        endpoint: string,
        ca: string,
        cert: string,
        key: string,
        "client-id": string,
        connections: { ...string, default: String(defaultMaxConnections) },
        "puback-within": { ...string, default: `${defaultAcknowledgeWithinMs}ms` },
        broker: { ...string, default: defaultBroker },
        "broker-ca": string,
        "broker-cert": string,
        "broker-key": string,
        user: { ...string, default: defaultUser },
        "password-file": string,
        delay: { ...string, default: `${defaultBatching.delayMs}ms` },
        batch: { ...string, default: String(defaultBatching.maxMessages) },
        data: { ...string, default: defaultDataFolder },
        http: { ...string, default: defaultHttp },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function readPlace(values: Values): CloudPlace {
  const { credentials, secret, region, endpoint, ca, cert, key, "client-id": clientId } = values;
  const ways = [credentials, secret, endpoint].filter((way) => way !== undefined);
  if (ways.length !== 1) throw new UsageError("one of --credentials, --secret and --endpoint is needed");
  if (credentials !== undefined) return { kind: "folder", path: resolve(credentials) };
  if (secret !== undefined) return { kind: "secret", name: secret, region };
  if (endpoint === undefined || ca === undefined || cert === undefined || key === undefined) {
    throw new UsageError("--endpoint goes with --ca, --cert and --key");
  }
  return { kind: "files", endpoint, clientId, tls: { ca, cert, key } };
}

function readHttp(value: string): { readonly host: string; readonly port: number } {
  const [, host = "127.0.0.1", port] = /^(?:(.+):)?(\d{1,5})$/.exec(value) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new UsageError(`--http '${value}' is not ADDRESS:PORT`);
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

/** A file's text under a key, nothing where no file is named. */
async function file<Key extends string>(key: Key, flag: string, path: string | undefined) {
  return path === undefined ? {} : ({ [key]: await text(flag, path) } as { [K in Key]: string });
}

async function text(flag: string, file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UsageError(`${flag} '${file}' cannot be read: ${(cause as Error).message}`, { cause });
  });
}
