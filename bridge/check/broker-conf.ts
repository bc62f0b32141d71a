import { isLoopback, type MosquittoVersion } from "../options.ts";
import type { BridgeTopic } from "./bridge-topic.ts";
import type { ConfLine } from "./conf-line.ts";

/** Lines that mean one thing together: the broker as a whole, one listener, one connection of the bridge, one plugin. */
export interface Section {
  readonly kind: "broker" | "listener" | "connection" | "plugin";
  /** Where it begins; of the broker, where its file does. */
  readonly head: ConfLine;
  readonly lines: readonly ConfLine[];
}

/** A configuration, sorted by what its lines belong to. */
export interface BrokerConf {
  /** The release that is to read it. */
  readonly version: MosquittoVersion;
  readonly broker: Section;
  /** Without any, Mosquitto listens on loopback alone. */
  readonly listeners: readonly Section[];
  readonly connections: readonly Section[];
  readonly plugins: readonly Section[];
  /** What each `topic` line of the connections says. */
  readonly topics: readonly TopicOf[];
}

export interface TopicOf {
  readonly line: ConfLine;
  readonly topic: BridgeTopic;
  readonly connection: Section;
}

/** The line that counts of a directive: the last one, as in Mosquitto. @param names Its names, where it has several. */
export function lineOf({ lines }: Section, ...names: readonly string[]): ConfLine | undefined {
  return lines.findLast(({ name }) => names.includes(name));
}

/** A value, `unset` where the directive is missing. */
export function settingOf(section: Section, name: string, unset: string): string {
  return lineOf(section, name)?.value ?? unset;
}

export function flagOf(section: Section, name: string, unset: boolean): boolean {
  const value = lineOf(section, name)?.value;
  return value === undefined ? unset : value === "true" || value === "1";
}

export function numberOf(section: Section, name: string, unset: number): number {
  const value = Number(lineOf(section, name)?.value ?? unset);
  return Number.isNaN(value) ? unset : value; // what is no number is told as such
}

/** Which section says who may connect to a listener, and do what. */
export function securityOf(listener: Section, { broker }: BrokerConf): Section {
  return isPerListener(broker) ? listener : broker;
}

/** The sections that say who may do what: the broker, or each listener. */
export function securitySections({ broker, listeners }: BrokerConf): readonly Section[] {
  return isPerListener(broker) ? listeners : [broker];
}

function isPerListener(broker: Section): boolean {
  return flagOf(broker, "per_listener_settings", false);
}

/** Whether only programs of the same machine reach a listener: by its address, its interface or a socket in a folder. */
export function isLocalListener(listener: Section): boolean {
  if (listener.head.name !== "listener") {
    return isLoopback(settingOf(listener, "bind_address", ""));
  }
  const [port, address = ""] = listener.head.value.split(/ +/);
  return port === "0" || isLoopback(address) || settingOf(listener, "bind_interface", "") === "lo";
}

/** Whether a connection goes to something on the same machine, which then speaks to IoT Core. */
export function isLocalConnection(connection: Section): boolean {
  const addresses = addressesOf(connection);
  return addresses.length > 0 && addresses.every(({ host }) => isLoopback(host));
}

export function addressesOf(connection: Section): readonly { readonly host: string; readonly port: number }[] {
  const value = lineOf(connection, "address", "addresses")?.value ?? "";
  return value.split(/ +/).flatMap((text) => {
    if (text === "") return [];
    const [, host = text, port = "1883"] = /^(.*):(\d+)$/.exec(text) ?? [];
    return [{ host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) }];
  });
}

/** Whether a plugin keeps the broker's state: it then checks nobody's access. */
export function isPersistencePlugin(plugin: Section): boolean {
  return /persist/.test(plugin.head.value);
}
