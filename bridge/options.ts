import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { isDeviceId } from "../scheme/device-id.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { BridgeError, type BridgeErrorCode } from "./bridge-error.ts";
import { uplinkClientId } from "./client-id.ts";

/** Directives follow the release. Files for 2.0 are also read by 2.1, which gives up its stronger persistence. */
export type MosquittoVersion = "2.0" | "2.1";

/** How soon a message that the broker has acknowledged is on disk; mosquitto.conf says what each one costs. */
export type Durability = "every-message" | "every-second";

/** What proves that a client is the user that it names. */
export type Identity =
  | { readonly kind: "password"; readonly file: string }
  | { readonly kind: "certificate"; readonly cafile: string };

export interface TlsFiles {
  readonly certfile: string;
  readonly keyfile: string;
}

/** Choices for one broker. Paths are absolute, and those of the machine that the broker runs on. */
export interface BrokerOptions {
  /** Where the generated files will lie when Mosquitto reads them. */
  readonly folder: string;
  /** `2.1` by default, which is what production runs. */
  readonly version?: MosquittoVersion | undefined;
  readonly listener?: {
    /** `127.0.0.1` by default. */
    readonly address?: string | undefined;
    /** 1883 by default, 8883 with TLS. */
    readonly port?: number | undefined;
    readonly tls?: TlsFiles | undefined;
    /** Needed by every listener that is not on loopback. */
    readonly identity?: Identity | undefined;
  };
  /** `every-message` by default for 2.1, `every-second` for 2.0, whose other choice gets slower as its queue grows. */
  readonly durability?: Durability | undefined;
  readonly persistence?: {
    /** A folder that exists and that the broker's user can write to; `/var/lib/mosquitto` by default. */
    readonly location?: string | undefined;
    /** `/usr/lib/mosquitto_persist_sqlite.so` by default; for 2.1. */
    readonly sqlitePlugin?: string | undefined;
  };
  /** The user that Mosquitto becomes when root starts it; its own default is `mosquitto`. */
  readonly user?: string | undefined;
  /** User names that are not devices. Each holds a dot, which no device id does. */
  readonly services?: {
    /** Subscribes to routes and replies, e.g. `trestle.engine`. */
    readonly engine?: string | undefined;
    /** Publishes commands and feeds, and hears the replies, e.g. `trestle.push`. */
    readonly publisher?: string | undefined;
    /** Sends what devices send to IoT Core, in place of a bridge, e.g. `trestle.relay`. */
    readonly relay?: string | undefined;
  };
  /**
   * Replaces a client's id by its user name: no device can take over another's session, and none has more than one.
   * It allows every service one connection, too. False by default.
   */
  readonly isClientIdUserName?: boolean | undefined;
  /** The connection to IoT Core; without it the broker keeps to itself. */
  readonly bridge?: BridgeOptions | undefined;
}

export interface BridgeOptions extends TlsFiles {
  /** Host, or host:port, of the account's endpoint; port 8883 by default, 443 works as well. */
  readonly endpoint: string;
  /** Authority of the endpoint's certificate: Amazon Root CA 1. */
  readonly cafile: string;
  /** Unique among all connections of the account; `<name>-<stage>-edge` by default. */
  readonly clientId?: string | undefined;
  /** `mqttv50` by default. `mqttv311` drops user properties, and keeps to one message in flight. */
  readonly protocol?: "mqttv50" | "mqttv311" | undefined;
}

/** Checked options without gaps: what the generators read. */
export interface BrokerSettings {
  readonly folder: string;
  readonly version: MosquittoVersion;
  readonly listener: {
    readonly address: string;
    readonly port: number;
    readonly tls: TlsFiles | undefined;
    readonly identity: Identity | undefined;
  };
  readonly durability: Durability;
  readonly persistence: { readonly location: string; readonly sqlitePlugin: string };
  readonly user: string | undefined;
  readonly services: {
    readonly engine: string | undefined;
    readonly publisher: string | undefined;
    readonly relay: string | undefined;
  };
  readonly isClientIdUserName: boolean;
  readonly bridge: BridgeSettings | undefined;
}

export interface BridgeSettings extends TlsFiles {
  readonly host: string;
  readonly port: number;
  readonly cafile: string;
  readonly clientId: string;
  readonly protocol: "mqttv50" | "mqttv311";
}

/** Checks a broker's options and fills the gaps. @throws {BridgeError} at the first fault. */
export function readOptions(scheme: Scheme, options: BrokerOptions): BrokerSettings {
  const version = options.version ?? "2.1";
  if (options.services?.relay !== undefined) checkRelay(scheme, options.bridge);
  return {
    folder: path(options.folder, "folder"),
    version,
    listener: readListener(options.listener ?? {}),
    durability: options.durability ?? (version === "2.1" ? "every-message" : "every-second"),
    persistence: {
      location: path(options.persistence?.location ?? "/var/lib/mosquitto", "persistence location"),
      sqlitePlugin: path(options.persistence?.sqlitePlugin ?? "/usr/lib/mosquitto_persist_sqlite.so", "sqlite plugin"),
    },
    user: options.user && match(options.user, systemUserPattern, "BROKER_USER_INVALID", "a user of the system"),
    services: readServices(options.services ?? {}),
    isClientIdUserName: options.isClientIdUserName ?? false,
    bridge: options.bridge && readBridge(scheme, options.bridge),
  };
}

/** Whether only programs of the same machine can connect. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

const hostPattern = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const systemUserPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;
/** Stands in the ACL and in a password file as it is; the dot tells it from every device id. */
const servicePattern = /^(?=.*\.)[A-Za-z0-9._-]{1,64}$/;

function readListener(listener: NonNullable<BrokerOptions["listener"]>): BrokerSettings["listener"] {
  const { address = "127.0.0.1", tls, identity, port = tls === undefined ? 1883 : 8883 } = listener;
  if (isIP(address) === 0) match(address, hostPattern, "BROKER_LISTENER_INVALID", "an address to listen on");
  checkPort(port, "BROKER_LISTENER_INVALID");
  if (identity?.kind === "certificate" && tls === undefined) {
    throw new BridgeError(
      "BROKER_LISTENER_INVALID",
      "client certificates need TLS: a certificate and key of the broker",
    );
  }
  if (identity === undefined && !isLoopback(address)) {
    const need = "a password file or client certificates, without which a user name proves nothing";
    throw new BridgeError("BROKER_OPEN", `a listener on ${address}, which is not loopback, needs ${need}`);
  }
  return { address, port, tls: tls && readTls(tls), identity: identity && readIdentity(identity) };
}

function readIdentity(identity: Identity): Identity {
  return identity.kind === "password"
    ? { kind: "password", file: path(identity.file, "password file") }
    : { kind: "certificate", cafile: path(identity.cafile, "authority of client certificates") };
}

function readTls({ certfile, keyfile }: TlsFiles): TlsFiles {
  return { certfile: path(certfile, "certificate"), keyfile: path(keyfile, "private key") };
}

function checkRelay({ framesRuleName }: Scheme, bridge: BridgeOptions | undefined): void {
  if (framesRuleName === undefined) {
    const message = `the scheme has no topic rule for a relay's frames; it needs uplink: "relay"`;
    throw new BridgeError("RELAY_NOT_IN_SCHEME", message);
  }
  if (bridge !== undefined) {
    const message = "a relay and a bridge at one broker would each send every message; docs/relay.md says how to move";
    throw new BridgeError("RELAY_BESIDE_BRIDGE", message);
  }
}

function readServices({
  engine,
  publisher,
  relay,
}: NonNullable<BrokerOptions["services"]>): BrokerSettings["services"] {
  for (const name of [engine, publisher, relay]) {
    if (name === undefined) continue;
    if (isDeviceId(name)) {
      const message = `'${name}' could be a device; a service's user name holds a dot, as in trestle.engine`;
      throw new BridgeError("BROKER_USER_INVALID", message);
    }
    match(name, servicePattern, "BROKER_USER_INVALID", "a service's user name: 1 to 64 of A–Z a–z 0–9 . _ -");
  }
  return { engine, publisher, relay };
}

function readBridge(scheme: Scheme, bridge: BridgeOptions): BridgeSettings {
  const { endpoint, cafile, clientId, protocol = "mqttv50" } = bridge;
  const [, host = "", port = "8883"] = /^([^:]+)(?::(\d{1,5}))?$/.exec(endpoint) ?? [];
  if (!hostPattern.test(host)) {
    throw new BridgeError("BRIDGE_ENDPOINT_INVALID", `the endpoint '${endpoint}' is not a host or a host:port`);
  }
  checkPort(Number(port), "BRIDGE_ENDPOINT_INVALID");
  return {
    host,
    port: Number(port),
    cafile: path(cafile, "authority of the endpoint"),
    ...readTls(bridge),
    clientId: uplinkClientId(scheme, clientId),
    protocol,
  };
}

function checkPort(port: number, code: BridgeErrorCode): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw new BridgeError(code, `the port ${port} is not a whole number from 1 to 65535`);
}

function path(value: string, what: string): string {
  if (!isAbsolute(value)) {
    const message = `the path of the ${what}, '${value}', is not absolute: Mosquitto's working directory is not known`;
    throw new BridgeError("BROKER_PATH_INVALID", message);
  }
  // A directive is a line, and Mosquitto trims its end.
  if (/\p{Cc}|\s$/u.test(value)) {
    const message = `the path of the ${what}, ${JSON.stringify(value)}, cannot stand in mosquitto.conf`;
    throw new BridgeError("BROKER_PATH_INVALID", message);
  }
  return value;
}

function match(value: string, pattern: RegExp, code: BridgeErrorCode, what: string): string {
  if (!pattern.test(value)) throw new BridgeError(code, `${JSON.stringify(value)} is not ${what}`);
  return value;
}
