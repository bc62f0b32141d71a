import { configFileName } from "../../bridge/broker-files.ts";
import type { BridgeOptions } from "../../bridge/options.ts";
import { type Authority, createAuthority, writeAuthority, writeLeaf } from "./certificates.ts";
import { type Place, startMosquitto, type TestBroker } from "./mosquitto.ts";

/** Common names of the certificates that the stand-in knows. Its ACL is their policies. */
const bridgeName = "edge-bridge";
const readerName = "trestle.engine";

/** What stands in place of AWS IoT Core's endpoint. */
export interface IotCore extends AsyncDisposable {
  readonly broker: TestBroker;
  readonly url: string;
  /** PEM for a client that reads what is published to `$aws/rules/#`. */
  readonly reader: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Writes a bridge's certificates to a folder and gives the options that name them. */
  bridgeOptions(folder: string): Promise<BridgeOptions>;
}

/**
 * Starts a Mosquitto as IoT Core's endpoint: mutual TLS, the common name is the identity, and each identity has a
 * policy. A bridge may publish to `$aws/rules/…` and nothing else, as its IoT policy says; the reader may read that,
 * which in IoT Core no client can (there the rules engine does).
 *
 * It takes what IoT Core would refuse: other QoS, retained messages, many levels, more than 100 publishes a second.
 */
export async function startIotCore(): Promise<IotCore> {
  const authority = await createAuthority();
  const broker = await startMosquitto((place) => configure(authority, place));
  const { certPem: cert, keyPem: key } = await authority.issue({ commonName: readerName });
  return {
    broker,
    url: `mqtts://127.0.0.1:${broker.port}`,
    reader: { ca: authority.caPem, cert, key },
    bridgeOptions: async (folder) => ({
      endpoint: `127.0.0.1:${broker.port}`,
      cafile: await writeAuthority(folder, authority),
      ...(await writeLeaf(folder, "bridge", await authority.issue({ commonName: bridgeName }))),
    }),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

async function configure(authority: Authority, { folder, port, user }: Place): Promise<ReadonlyMap<string, string>> {
  const cafile = await writeAuthority(folder, authority);
  const server = await writeLeaf(folder, "server", await authority.issue({ commonName: "localhost" }));
  const config = [
    `user ${user}`,
    `listener ${port} 127.0.0.1`,
    `certfile ${server.certfile}`,
    `keyfile ${server.keyfile}`,
    `cafile ${cafile}`,
    "require_certificate true",
    "use_identity_as_username true",
    `acl_file ${folder}/acl`,
    "set_tcp_nodelay true",
    "max_queued_messages 1000000",
    // Sessions outlive a stop, as they do in IoT Core.
    "persistence true",
    `persistence_location ${folder}`,
    "log_dest stderr",
    "log_type all",
  ];
  const acl = [`user ${bridgeName}`, "topic write $aws/rules/#", `user ${readerName}`, "topic read $aws/rules/#"];
  return new Map([
    [configFileName, config.join("\n")],
    ["acl", acl.join("\n")],
  ]);
}
