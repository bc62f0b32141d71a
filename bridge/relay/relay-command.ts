import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadScheme } from "../../scheme/load-scheme.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { BridgeError } from "../bridge-error.ts";
import { uplinkClientId } from "../client-id.ts";
import { type Credentials, credentialsFileName, readCredentials } from "../provision/credentials.ts";
import { Relay } from "./relay.ts";
import { type CloudPlace, readRelayOptions, relayHelp } from "./relay-options.ts";
import { StatusServer } from "./status-server.ts";
import type { CloudOptions } from "./uplink-connection.ts";

/**
 * `relay`: runs until a signal ends it.
 *
 * @throws {UsageError | BridgeError | ProvisionError | SchemeError | ClientError}
 */
export async function relayCommand(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = await readRelayOptions(args);
  if (options === undefined) {
    print(relayHelp);
    return;
  }
  const { configFile, place, http, acknowledgeWithinMs, ...rest } = options;
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  const scheme = await loadScheme(configFile);
  const cloud = { ...(await readCloud(place, scheme)), acknowledgeWithinMs };
  const log = (line: string) => print(`${new Date().toISOString()} ${line}`);
  const relay = await Relay.start({ ...rest, cloud, scheme, log });
  await using status = await StatusServer.start(relay, http);
  log(`relay: takes from ${rest.local.url}, publishes to ${cloud.url} as ${cloud.clientId}, status at ${status.url}`);
  try {
    await Promise.race([stopped, subscribed(relay, log).then(() => stopped)]);
  } finally {
    await relay.stop();
  }
  log("relay: stopped");
}

/** What devices send before, the broker keeps where it knows the relay's session already, and forgets otherwise. */
async function subscribed(relay: Relay, log: (line: string) => void): Promise<void> {
  await relay.subscribed;
  log("relay: subscribed");
}

async function readCloud(place: CloudPlace, scheme: Scheme): Promise<CloudOptions> {
  switch (place.kind) {
    case "folder": {
      const document = join(place.path, credentialsFileName);
      return cloudOf(readCredentials(await read(document), document), document);
    }
    case "secret":
      return cloudOf(await readSecret(place.name, place.region), `the secret '${place.name}'`);
    case "files": {
      const { ca, cert, key } = place.tls;
      const tls = { ca: await read(ca), cert: await read(cert), key: await read(key) };
      return { url: urlOf(place.endpoint), clientId: uplinkClientId(scheme, place.clientId), tls };
    }
    default:
      return place satisfies never;
  }
}

async function readSecret(name: string, region: string | undefined): Promise<Credentials> {
  // Loaded when it is meant: the AWS SDK takes a quarter of a second.
  const { SecretsManagerClient, GetSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient(region === undefined ? {} : { region });
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name })).catch((cause: Error) => {
    throw new BridgeError("RELAY_CREDENTIALS", `the secret '${name}': ${cause.message}`, { cause });
  });
  return readCredentials(SecretString ?? "", `the secret '${name}'`);
}

function cloudOf({ endpoint, clientId, ca, current }: Credentials, place: string): CloudOptions {
  if (current === undefined) {
    throw new BridgeError("RELAY_CREDENTIALS", `${place} has no certificate in force; run provision again`);
  }
  return { url: urlOf(endpoint), clientId, tls: { ca, cert: current.certificate, key: current.privateKey } };
}

function urlOf(endpoint: string): string {
  return `mqtts://${/:\d+$/.test(endpoint) ? endpoint : `${endpoint}:8883`}`;
}

async function read(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: Error) => {
    throw new BridgeError("RELAY_CREDENTIALS", `${file} cannot be read: ${cause.message}`, { cause });
  });
}
