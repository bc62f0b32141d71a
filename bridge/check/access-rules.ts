import {
  flagOf,
  isLocalListener,
  isPersistencePlugin,
  lineOf,
  type Section,
  securityOf,
  settingOf,
} from "./broker-conf.ts";
import type { Rule } from "./rule.ts";

/** What each section that says who may do what has to say: the broker, or with `per_listener_settings` each listener. */
export const securityRules: readonly Rule<Section>[] = [
  {
    code: "BROKER_OPEN",
    severity: "refused",
    directive: "allow_anonymous",
    isWrong: (security, conf) => {
      if (!flagOf(security, "allow_anonymous", false)) return false;
      const open = conf.listeners.find((each) => !isLocalListener(each) && securityOf(each, conf) === security);
      return open !== undefined && !says(open, "listener_allow_anonymous", "false") && placeOf(open);
    },
    reason:
      "everybody who reaches the listener connects, under any user name; devices and services can only be told apart by a password or a certificate",
    source: "mosquitto.conf(5), allow_anonymous",
  },
  {
    code: "BROKER_OPEN",
    severity: "refused",
    directive: "acl_file",
    isWrong: (security, { plugins }) =>
      lineOf(security, "acl_file") === undefined && !plugins.some((plugin) => !isPersistencePlugin(plugin)),
    reason: "every client reads and writes every topic: one device's messages as another's, and all commands",
    source: "mosquitto.conf(5), acl_file",
  },
];

/** What a listener has to say. */
export const listenerRules: readonly Rule<Section>[] = [
  {
    code: "BROKER_OPEN",
    severity: "refused",
    directive: "listener_allow_anonymous",
    isWrong: (listener) => flagOf(listener, "listener_allow_anonymous", false) && !isLocalListener(listener),
    reason: "everybody who reaches the listener connects, under any user name",
    source: "mosquitto 2.1, src/conf.c",
  },
  {
    code: "BROKER_OPEN",
    severity: "refused",
    directive: "protocol",
    isWrong: (listener) => settingOf(listener, "protocol", "mqtt") === "http_api" && !isLocalListener(listener),
    reason: "the HTTP interface asks nobody who they are: loopback only",
    source: "measured with Mosquitto 2.1.2",
  },
];

function says(section: Section, name: string, value: string): boolean {
  return settingOf(section, name, "") === value;
}

function placeOf({ head }: Section): string {
  return `'${head.name} ${head.value}' on line ${head.line} is not loopback`;
}
