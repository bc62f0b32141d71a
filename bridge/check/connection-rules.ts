import {
  addressesOf,
  type BrokerConf,
  flagOf,
  isLocalConnection,
  lineOf,
  numberOf,
  type Section,
  settingOf,
} from "./broker-conf.ts";
import type { Rule } from "./rule.ts";
import { basicIngestPrefix } from "./topic-rules.ts";

const iotMqtt = "docs.aws.amazon.com/iot/latest/developerguide/mqtt.html";
const iotProtocols = "docs.aws.amazon.com/iot/latest/developerguide/protocols.html";
const iotQuotas = "docs.aws.amazon.com/general/latest/gr/iot-core.html";
const bridgePage = "mosquitto.conf(5), Configuring Bridges";

/** What a connection of the bridge has to say, as one to AWS IoT Core. */
export const connectionRules: readonly Rule<Section>[] = [
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "try_private",
    isWrong: (bridge) =>
      flagOf(bridge, "try_private", true) && (!isMqtt5(bridge) || lineOf(bridge, "try_private") !== undefined),
    reason:
      "sets a bit in the protocol's version by which Mosquitto presents itself as a bridge; IoT Core refuses it. 'try_private false'",
    source: `${bridgePage}; lib/send_connect.c`,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "warning",
    directive: "try_private",
    isWrong: (bridge) => isMqtt5(bridge) && lineOf(bridge, "try_private") === undefined,
    reason:
      "unused with MQTT 5, but a bridge that falls back to MQTT 3.1.1 is refused by IoT Core without 'try_private false'",
    source: `${bridgePage}; lib/send_connect.c`,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "bridge_protocol_version",
    isWrong: (bridge) => protocolOf(bridge) === "mqttv31",
    reason: "IoT Core speaks MQTT 3.1.1 and 5",
    source: iotMqtt,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "notifications",
    isWrong: (bridge) => flagOf(bridge, "notifications", true) && !flagOf(bridge, "notifications_local_only", false),
    reason:
      "publishes and retains to $SYS/broker/connection/… at the remote, which ends the connection. 'notifications false', or notifications_local_only",
    source: "docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html; mosquitto issue 677",
  },
  {
    code: "BRIDGE_NOT_DURABLE",
    severity: "refused",
    directive: "cleansession",
    isWrong: (bridge) => flagOf(bridge, "cleansession", false),
    reason: "what devices publish while the endpoint is away is thrown away, as are commands while the bridge is",
    source: "measured with Mosquitto 2.0.11 and 2.0.22",
  },
  {
    code: "BRIDGE_NOT_DURABLE",
    severity: "refused",
    directive: "local_cleansession",
    isWrong: (bridge) => flagOf(bridge, "local_cleansession", false),
    reason: "what devices publish while the endpoint is away is thrown away",
    source: "measured with Mosquitto 2.0.11 and 2.0.22",
  },
  {
    code: "BRIDGE_NOT_DURABLE",
    severity: "refused",
    directive: "bridge_session_expiry_interval",
    isWrong: (bridge, { version }) => version === "2.1" && hasLostSession(bridge),
    reason:
      "in MQTT 5 the session ends with the connection unless it is told otherwise: of 5 commands published while the bridge was away, none arrived",
    source: "measured with Mosquitto 2.1.2; issues 2793 and 2980",
  },
  {
    code: "BRIDGE_NOT_DURABLE",
    severity: "warning",
    directive: "bridge_protocol_version",
    isWrong: (bridge, { version }) => version === "2.0" && hasLostSession(bridge),
    reason:
      "a bridge of Mosquitto 2.0 has no session in MQTT 5: what its 'in' lines miss while it is away is lost. mqttv311, or Mosquitto 2.1",
    source: "measured with Mosquitto 2.0.11 and 2.0.22; issues 2793 and 2980",
  },
  {
    code: "BRIDGE_UNSTABLE",
    severity: "warning",
    directive: "remote_clientid",
    isWrong: (bridge) => clientIdOf(bridge) === undefined,
    reason:
      "the default holds the host's name: another host, or another container, leaves its queue behind on both sides",
    source: "mosquitto 2.1, src/conf.c, config__check_bridges",
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "remote_clientid",
    isWrong: (bridge) => Buffer.byteLength(clientIdOf(bridge) ?? "") > 128,
    reason: "IoT Core takes client ids of up to 128 bytes",
    source: iotQuotas,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "remote_clientid",
    isWrong: (bridge, { connections }) => {
      const id = clientIdOf(bridge);
      const other = connections.find((each) => each !== bridge && id !== undefined && clientIdOf(each) === id);
      return other !== undefined && `connection '${other.head.value}' has the same one`;
    },
    reason: "a second connection with a client id ends the first, and so on",
    source: iotMqtt,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "bridge_cafile",
    isWrong: (bridge) => !isLocalConnection(bridge) && !hasTls(bridge),
    reason: "without an authority the connection is plain TCP; IoT Core speaks TLS alone",
    source: iotProtocols,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "bridge_certfile",
    isWrong: (bridge) => hasTls(bridge) && !has(bridge, "bridge_certfile", "remote_username", "username", "bridge_psk"),
    reason: "IoT Core asks for a certificate, or by a custom authorizer for a user name",
    source: iotProtocols,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "bridge_alpn",
    isWrong: (bridge) => addressesOf(bridge).some(({ port }) => port === 443) && !has(bridge, "bridge_alpn"),
    reason: "on port 443 IoT Core tells MQTT from HTTPS by it: x-amzn-mqtt-ca",
    source: iotProtocols,
  },
  {
    code: "BRIDGE_INSECURE",
    severity: "refused",
    directive: "bridge_insecure",
    isWrong: (bridge) => flagOf(bridge, "bridge_insecure", false),
    reason:
      "the name in the endpoint's certificate is not checked: whoever has any certificate of that authority can be the endpoint",
    source: bridgePage,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "warning",
    directive: "bridge_require_ocsp",
    isWrong: (bridge) => flagOf(bridge, "bridge_require_ocsp", false),
    reason: "no connection where the server staples no answer of its authority",
    source: "measured with Mosquitto 2.0.11",
  },
  {
    code: "BRIDGE_UNSTABLE",
    severity: "warning",
    directive: "bridge_attempt_unsubscribe",
    isWrong: (bridge) => flagOf(bridge, "bridge_attempt_unsubscribe", true),
    reason: "at every connection one UNSUBSCRIBE for each 'out' line, of what is not subscribed",
    source: bridgePage,
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "refused",
    directive: "bridge_outgoing_retain",
    isWrong: (bridge, conf) => retainsOn(bridge, conf, true),
    reason: "nothing can be retained on $aws/… topics: 'bridge_outgoing_retain false'",
    source: "docs.aws.amazon.com/iot/latest/developerguide/iot-basic-ingest.html",
  },
  {
    code: "BRIDGE_UNSTABLE",
    severity: "warning",
    directive: "bridge_outgoing_retain",
    isWrong: (bridge, conf) => retainsOn(bridge, conf, true) === false && retainsOn(bridge, conf, false),
    reason:
      "at every connection all retained messages that match go out again, and IoT Core takes one a second for each topic. false, unless others read them there",
    source: `${iotQuotas}; measured with Mosquitto 2.0.11 and 2.1.2`,
  },
  {
    code: "BRIDGE_UNSTABLE",
    severity: "warning",
    directive: "restart_timeout",
    isWrong: (bridge) => /^\d+$/.test(settingOf(bridge, "restart_timeout", "")),
    reason:
      "one value is ignored before 2.0.15, and constant without jitter since: brokers come back all at once. Two, as in 'restart_timeout 2 30'",
    source: "mosquitto 2.0.11 and 2.1, src/conf.c",
  },
  {
    code: "BRIDGE_INCOMPATIBLE",
    severity: "warning",
    directive: "keepalive_interval",
    isWrong: (bridge) =>
      numberOf(bridge, "keepalive_interval", 60) < 30 || numberOf(bridge, "keepalive_interval", 60) > 1200,
    reason: "IoT Core keeps to 30 to 1,200 s, and takes the nearer of them",
    source: iotQuotas,
  },
  {
    code: "BRIDGE_NOT_DURABLE",
    severity: "warning",
    directive: "start_type",
    isWrong: (bridge) => settingOf(bridge, "start_type", "automatic") !== "automatic",
    reason: "once does not come back after a failure; lazy never ends a connection before 2.0.22, and begins one late",
    source: `${bridgePage}; measured with Mosquitto 2.0.11`,
  },
  {
    code: "BRIDGE_STALLS",
    severity: "warning",
    directive: "bridge_max_packet_size",
    isWrong: (bridge) => numberOf(bridge, "bridge_max_packet_size", 0) > 0,
    reason:
      "each larger QoS 1 message is dropped and keeps its place among those in flight: as many as the window has, and nothing is sent any more. Limit the listener",
    source: "measured with Mosquitto 2.0.11, 2.0.22 and 2.1.2",
  },
];

function protocolOf(bridge: Section): string {
  return settingOf(bridge, "bridge_protocol_version", "mqttv311");
}

/** Whether a connection speaks MQTT 5, whose window is the remote's to say. */
export function isMqtt5(bridge: Section): boolean {
  return protocolOf(bridge) === "mqttv50";
}

/** A session matters for what is subscribed; what goes out is queued on this side. */
function hasLostSession(bridge: Section): boolean {
  const subscribes = bridge.lines.some(({ name, value }) => name === "topic" && / (in|both)( |$)/i.test(value));
  return isMqtt5(bridge) && subscribes && numberOf(bridge, "bridge_session_expiry_interval", 0) === 0;
}

/** The first line by which retained messages leave as such, to a rule or to a topic that others can read. */
function retainsOn(bridge: Section, { topics }: BrokerConf, isRule: boolean): false | string {
  if (!flagOf(bridge, "bridge_outgoing_retain", true)) return false;
  const found = topics.find(
    ({ connection, topic: { direction, remote } }) =>
      connection === bridge && direction !== "in" && basicIngestPrefix.test(remote) === isRule,
  );
  return found !== undefined && `'topic ${found.line.value}'`;
}

function clientIdOf(bridge: Section): string | undefined {
  return lineOf(bridge, "remote_clientid", "clientid")?.value;
}

function hasTls(bridge: Section): boolean {
  return (
    has(bridge, "bridge_cafile", "bridge_capath", "bridge_psk") || flagOf(bridge, "bridge_tls_use_os_certs", false)
  );
}

function has(bridge: Section, ...names: readonly string[]): boolean {
  return lineOf(bridge, ...names) !== undefined;
}
