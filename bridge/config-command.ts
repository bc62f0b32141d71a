import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { defaultConfigFile, loadScheme } from "../scheme/load-scheme.ts";
import { brokerFiles, writeBrokerFiles } from "./broker-files.ts";
import type { BridgeOptions, BrokerOptions, Durability, Identity, MosquittoVersion } from "./options.ts";
import { UsageError } from "./usage-error.ts";

const defaultRelayUser = "trestle.relay";

export const configHelp = `Usage: npm run bridge -- config --out DIR [options]

Writes mosquitto.conf and its ACL file, derived from the topic scheme.

  --out DIR               folder to write to
  --config FILE           topic scheme, ${defaultConfigFile} by default
  --folder DIR            folder that Mosquitto will read the files from, where it is not --out
  --mosquitto 2.0|2.1     release that will read them, 2.1 by default (Debian 12 has 2.0)

Devices
  --listen [ADDRESS:]PORT 127.0.0.1:1883 by default, port 8883 with TLS
  --tls-cert FILE         certificate of the broker, with --tls-key
  --tls-key FILE          its private key
  --password-file FILE    users and passwords, made by mosquitto_passwd
  --client-ca FILE        authority of the devices' certificates, whose common names are the user names
  --engine NAME           user that reads what devices send, e.g. trestle.engine
  --publisher NAME        user that publishes commands and feeds, e.g. trestle.push
  --relay [NAME]          user of the relay, ${defaultRelayUser} by default; for uplink: "relay", in place of a bridge
  --client-id-from-user   replace each client id by the user name

State
  --durability WHEN       every-message or every-second; mosquitto.conf says what each one costs
  --persistence DIR       where the broker keeps sessions and queues, /var/lib/mosquitto by default
  --sqlite-plugin FILE    Mosquitto 2.1's persistence, /usr/lib/mosquitto_persist_sqlite.so by default
  --user NAME             user that Mosquitto becomes when root starts it

Bridge to AWS IoT Core, all four or none
  --endpoint HOST[:PORT]  the account's endpoint: aws iot describe-endpoint --endpoint-type iot:Data-ATS
  --bridge-ca FILE        Amazon Root CA 1
  --bridge-cert FILE      certificate of the bridge
  --bridge-key FILE       its private key
  --client-id ID          <name>-<stage>-edge by default; every broker needs its own

Relative paths are seen from here. A listener that is not on loopback needs --password-file or --client-ca; services prove
their names as devices do, so that their passwords stand in the same file.`;

/** `config`: writes the broker's files and says which. @throws {UsageError | BridgeError | SchemeError} */
export async function configCommand(args: readonly string[], print: (line: string) => void): Promise<void> {
  const values = parse(args);
  if (values.help) {
    print(configHelp);
    return;
  }
  if (values.out === undefined) throw new UsageError("--out DIR is needed");
  const options = readBrokerOptions({ ...values, out: values.out });
  await access(values.config).catch((cause: unknown) => {
    throw new UsageError(`there is no topic scheme '${values.config}'; --config names another`, { cause });
  });
  const scheme = await loadScheme(values.config);
  const paths = await writeBrokerFiles(values.out, brokerFiles(scheme, options));
  for (const path of paths) print(path);
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: withRelayName(args),
      options: {
        help: { type: "boolean", short: "h" },
        out: text,
        config: { ...text, default: defaultConfigFile },
        folder: text,
        mosquitto: { ...text, default: "2.1" },
        listen: text,
        "tls-cert": text,
        "tls-key": text,
        "password-file": text,
        "client-ca": text,
        engine: text,
        publisher: text,
        relay: text,
        "client-id-from-user": { type: "boolean" },
        durability: text,
        persistence: text,
        "sqlite-plugin": text,
        user: text,
        endpoint: text,
        "bridge-ca": text,
        "bridge-cert": text,
        "bridge-key": text,
        "client-id": text,
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Says what a `--relay` without a name means: parseArgs knows no option whose value can be left out. */
function withRelayName(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const hasName = args[index + 1]?.startsWith("-") === false;
    return arg === "--relay" && !hasName ? `--relay=${defaultRelayUser}` : arg;
  });
}

type Values = ReturnType<typeof parse>;

function readBrokerOptions(values: Values & { readonly out: string }): BrokerOptions {
  return {
    folder: resolve(values.folder ?? values.out),
    version: oneOf<MosquittoVersion>("--mosquitto", values.mosquitto, ["2.0", "2.1"]),
    listener: { ...readListen(values.listen), tls: readTls(values), identity: readIdentity(values) },
    durability: oneOf<Durability>("--durability", values.durability, ["every-message", "every-second"]),
    persistence: { location: absolute(values.persistence), sqlitePlugin: absolute(values["sqlite-plugin"]) },
    user: values.user,
    services: { engine: values.engine, publisher: values.publisher, relay: values.relay },
    isClientIdUserName: values["client-id-from-user"],
    bridge: readBridge(values),
  };
}

function readListen(listen: string | undefined): { address?: string; port?: number } {
  if (listen === undefined) return {};
  const [, address, port] = /^(?:(.+):)?(\d+)$/.exec(listen) ?? [];
  if (port === undefined) throw new UsageError(`--listen '${listen}' is not PORT or ADDRESS:PORT`);
  // An IPv6 address stands in brackets before a port (RFC 3986 §3.2.2), and without them in mosquitto.conf.
  return { port: Number(port), ...(address !== undefined && { address: address.replace(/^\[(.*)\]$/, "$1") }) };
}

function readTls(values: Values) {
  const files = allOrNone({ "--tls-cert": values["tls-cert"], "--tls-key": values["tls-key"] });
  return files && { certfile: resolve(files["--tls-cert"]), keyfile: resolve(files["--tls-key"]) };
}

function readIdentity(values: Values): Identity | undefined {
  const { "password-file": file, "client-ca": cafile } = values;
  if (file !== undefined && cafile !== undefined) {
    throw new UsageError(
      "--password-file and --client-ca exclude each other: Mosquitto asks no password of a certificate",
    );
  }
  if (file !== undefined) return { kind: "password", file: resolve(file) };
  return cafile === undefined ? undefined : { kind: "certificate", cafile: resolve(cafile) };
}

function readBridge(values: Values): BridgeOptions | undefined {
  const files = allOrNone({
    "--endpoint": values.endpoint,
    "--bridge-ca": values["bridge-ca"],
    "--bridge-cert": values["bridge-cert"],
    "--bridge-key": values["bridge-key"],
  });
  if (files === undefined) {
    if (values["client-id"] !== undefined)
      throw new UsageError("--client-id names the bridge's connection: --endpoint is missing");
    return undefined;
  }
  return {
    endpoint: files["--endpoint"],
    cafile: resolve(files["--bridge-ca"]),
    certfile: resolve(files["--bridge-cert"]),
    keyfile: resolve(files["--bridge-key"]),
    clientId: values["client-id"],
  };
}

function allOrNone<Flag extends string>(
  flags: Readonly<Record<Flag, string | undefined>>,
): Record<Flag, string> | undefined {
  const names = Object.keys(flags) as Flag[];
  const missing = names.filter((name) => flags[name] === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) throw new UsageError(`${missing.join(", ")} missing; ${names.join(", ")} go together`);
  return flags as Record<Flag, string>;
}

function oneOf<Value extends string>(
  flag: string,
  value: string | undefined,
  known: readonly Value[],
): Value | undefined {
  const found = known.find((name) => name === value);
  if (value !== undefined && found === undefined) {
    throw new UsageError(`${flag} '${value}' is not ${known.join(" or ")}`);
  }
  return found;
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}
