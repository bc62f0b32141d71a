import { maxPayloadBytes, maxRelayPayloadBytes } from "../payload-limits.ts";
import {
  type BrokerConf,
  flagOf,
  isLocalConnection,
  isPersistencePlugin,
  lineOf,
  numberOf,
  type Section,
  settingOf,
} from "./broker-conf.ts";
import { isMqtt5 } from "./connection-rules.ts";
import type { Rule } from "./rule.ts";

/** Room for the topic, the header and some properties beside a payload. */
const maxHeaderBytes = 9_000;

/** What Mosquitto 2.1 takes without `max_packet_size`; 2.0 takes what MQTT can carry. */
const unsetPacketBytes = { "2.0": 268_435_455, "2.1": 2_000_000 } as const;

/** Seconds between two saves above which a crash costs more than a moment. */
const longestSaveSeconds = 60;

const killed = "measured with kill -9 under 2,000 messages/s, Mosquitto 2.0.11 and 2.1.2";
const outage = "measured: 50,000 messages in an outage, Mosquitto 2.0.11";
const iotQuotas = "docs.aws.amazon.com/general/latest/gr/iot-core.html";

/** What the broker as a whole has to say. */
export const brokerRules: readonly Rule<Section>[] = [
  {
    code: "BROKER_NOT_DURABLE",
    severity: "refused",
    directive: "persistence",
    isWrong: (broker, conf) => !isSnapshot(broker) && databaseOf(conf) === undefined,
    reason:
      "nothing is on disk: a restart loses every queue, session and retained message. 'persistence true', or in 2.1 the sqlite plugin",
    source: "mosquitto.conf(5), persistence: false by default",
  },
  {
    code: "CONF_INVALID",
    severity: "refused",
    directive: "persistence",
    isWrong: (broker, conf) => isSnapshot(broker) && databaseOf(conf) !== undefined,
    reason: "Mosquitto 2.1 does not start with both its own persistence and a plugin's",
    source: "Mosquitto 2.1.2 ends at its start",
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "refused",
    directive: "autosave_interval",
    isWrong: (broker) =>
      isSavedByTime(broker) && (saveInterval(broker) === 0 || saveInterval(broker) > longestSaveSeconds),
    reason:
      "a crash loses all acknowledged since the last save: half an hour by default, everything with 0. 1 loses up to two seconds",
    source: killed,
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "warning",
    directive: "autosave_interval",
    isWrong: (broker) =>
      isSavedByTime(broker) && saveInterval(broker) > 1 && saveInterval(broker) <= longestSaveSeconds,
    reason:
      "a crash loses what was acknowledged since the last save: with 5 it lost 9,856 of 20,000 messages, with 1 1,402",
    source: killed,
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "warning",
    directive: "autosave_interval",
    isWrong: (broker) => isSnapshot(broker) && flagOf(broker, "autosave_on_changes", false) && saveInterval(broker) > 1,
    reason:
      "with autosave_on_changes it counts changes, not seconds: a crash loses up to so many acknowledged messages",
    source: killed,
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "warning",
    directive: "persistence_location",
    isWrong: (broker) => isSnapshot(broker) && lineOf(broker, "persistence_location") === undefined,
    reason: "the state lies in the working directory of whoever starts the broker: from another one it begins empty",
    source: "mosquitto.conf(5), persistence_location",
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "warning",
    directive: "plugin_opt_flush_period",
    isWrong: (_, conf) => {
      const database = databaseOf(conf);
      return database !== undefined && numberOf(database, "plugin_opt_flush_period", 5) > 1;
    },
    reason:
      "a crash loses what was acknowledged in that time, 5 s by default: 20,000 of 20,000 in a burst. 0 with 'plugin_opt_sync full' lost none",
    source: killed,
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "refused",
    directive: "max_queued_messages",
    isWrong: (broker) => queued(broker) > 0 && queued(broker) <= 1000,
    reason:
      "the oldest so many are kept and the rest dropped, although their senders got a PUBACK: of 50,000 in an outage, the default of 1,000 lost 49,000",
    source: outage,
  },
  {
    code: "BROKER_NOT_DURABLE",
    severity: "warning",
    directive: "max_queued_messages",
    isWrong: (broker) => queued(broker) <= 0,
    reason:
      "0, meant as unlimited, ends clients over a denied publish (2.0.11), stopped delivery (2.0.16) and was a limit until 2.0.22; a large number is not",
    source: "mosquitto ChangeLog 2.0.16, 2.0.22; src/handle_publish.c of 2.0.11",
  },
  {
    code: "BROKER_UNLIMITED",
    severity: "refused",
    directive: "message_size_limit",
    isWrong: (broker, conf) => Math.min(payloadLimit(broker), packetLimit(broker, conf)) > takenBytes(conf),
    reason: `IoT Core ends the connection over a payload of more than ${maxPayloadBytes} bytes, and a bridge sends it first again, for ever; without a bridge, the relay takes ${maxRelayPayloadBytes}`,
    source: iotQuotas,
  },
  {
    code: "BROKER_UNLIMITED",
    severity: "warning",
    directive: "max_packet_size",
    isWrong: (broker, conf) => packetLimit(broker, conf) > takenBytes(conf) + maxHeaderBytes,
    reason:
      "what message_size_limit alone refuses is acknowledged and dropped; a larger packet than this disconnects its sender, who so learns of it",
    source: "measured with Mosquitto 2.0.11; mosquitto.conf(5), max_packet_size",
  },
  {
    code: "BROKER_UNLIMITED",
    severity: "warning",
    directive: "persistent_client_expiration",
    isWrong: (broker) => lineOf(broker, "persistent_client_expiration") === undefined,
    reason: "a session that nobody comes back to keeps its queue for ever, up to max_queued_messages each",
    source: "mosquitto.conf(5), persistent_client_expiration",
  },
  {
    code: "BRIDGE_STALLS",
    severity: "warning",
    directive: "max_inflight_messages",
    isWrong: (broker, { connections }) =>
      numberOf(broker, "max_inflight_messages", 20) !== 1 &&
      connections.some((each) => !isLocalConnection(each) && !isMqtt5(each)),
    reason:
      "IoT Core discards above 100 publishes/s without a PUBACK, and Mosquitto sends again only after a reconnect: it stalls after the first burst. 1, or the relay",
    source: `${iotQuotas}; mosquitto issue 2176`,
  },
  {
    code: "BROKER_SLOW",
    severity: "warning",
    directive: "set_tcp_nodelay",
    isWrong: (broker) => !flagOf(broker, "set_tcp_nodelay", false),
    reason: "a publisher with 100 messages in flight got 2,100 messages/s through without it, 28,000 with it",
    source: "measured with Mosquitto 2.0.11",
  },
];

function isSnapshot(broker: Section): boolean {
  return flagOf(broker, "persistence", false) || flagOf(broker, "retained_persistence", false);
}

function isSavedByTime(broker: Section): boolean {
  return isSnapshot(broker) && !flagOf(broker, "autosave_on_changes", false);
}

function saveInterval(broker: Section): number {
  return numberOf(broker, "autosave_interval", 1800);
}

function queued(broker: Section): number {
  return numberOf(broker, "max_queued_messages", 1000);
}

/** 0 is none. */
function payloadLimit(broker: Section): number {
  return Number(settingOf(broker, "message_size_limit", "0")) || Number.POSITIVE_INFINITY;
}

function packetLimit(broker: Section, { version }: BrokerConf): number {
  return numberOf(broker, "max_packet_size", unsetPacketBytes[version]);
}

/** Bytes of a payload that whoever stands behind the broker takes. */
function takenBytes({ connections }: BrokerConf): number {
  return connections.length > 0 ? maxPayloadBytes : maxRelayPayloadBytes;
}

function databaseOf({ plugins }: BrokerConf): Section | undefined {
  return plugins.find(isPersistencePlugin);
}
