import { resolve } from "node:path";
import { IoTClient } from "@aws-sdk/client-iot";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { loadScheme } from "../../scheme/load-scheme.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { uplinkClientId } from "../client-id.ts";
import { Calls } from "./calls.ts";
import { bridgeFiles, folderStore } from "./credential-store/folder.ts";
import { secretStore } from "./credential-store/secret.ts";
import type { Credentials } from "./credentials.ts";
import { finishRotation, provision, rotate } from "./provision.ts";
import { type Place, provisionHelp, readProvisionOptions, type Verb } from "./provision-options.ts";
import type { ProvisionOptions } from "./provisioning.ts";

/** `provision`: makes or completes what a bridge needs in AWS. @throws {UsageError | SchemeError | BridgeError | ProvisionError} */
export async function provisionCommand(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = readProvisionOptions(args);
  if (options === undefined) {
    print(provisionHelp);
    return;
  }
  const { verb, place, configFile, region, isDryRun } = options;
  const scheme = await loadScheme(configFile);
  const clientId = uplinkClientId(scheme, options.clientId);
  const config = { ...limits, ...(region !== undefined && { region }) };
  const iot = new IoTClient(config);
  const secrets = new SecretsManagerClient(config);
  try {
    const calls = new Calls({ isDryRun, print });
    const store = place.kind === "folder" ? folderStore(place.path, calls) : secretStore(place.name, secrets, calls);
    const credentials = await verbs[verb]({ scheme, clientId, iot, calls, store });
    for (const line of nextSteps(credentials, place, scheme)) print(line);
  } finally {
    iot.destroy();
    secrets.destroy();
  }
}

const verbs: Readonly<Record<Verb, (options: ProvisionOptions) => Promise<Credentials>>> = {
  provision,
  rotate,
  finish: finishRotation,
};

/** Three attempts of ten seconds, with the SDK's pauses between them. */
const limits = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
};

function nextSteps(credentials: Credentials, place: Place, { framesRuleName }: Scheme): readonly string[] {
  const { endpoint, clientId, current, previous } = credentials;
  const uplink = framesRuleName === undefined ? "bridge" : "relay";
  const lines = [`endpoint ${endpoint}, client id ${clientId}, certificate ${current?.id}`];
  if (place.kind === "folder") {
    lines.push(
      uplink === "bridge" ? `config: ${bridgeFlags(credentials, place.path)}` : `relay: --credentials ${place.path}`,
    );
  }
  if (previous !== undefined) {
    lines.push(`${previous.id} is valid as well: restart the ${uplink} with the new one, then run rotate --finish`);
  }
  return lines;
}

function bridgeFlags({ endpoint, clientId }: Credentials, folder: string): string {
  const [cafile, certfile, keyfile] = [bridgeFiles.cafile, bridgeFiles.certfile, bridgeFiles.keyfile].map((name) =>
    resolve(folder, name),
  );
  return `--endpoint ${endpoint} --client-id ${clientId} --bridge-ca ${cafile} --bridge-cert ${certfile} --bridge-key ${keyfile}`;
}
