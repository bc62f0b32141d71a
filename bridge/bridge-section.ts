import { basicIngestTopic, type IngestSource, ingestSources } from "../scheme/ingest.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { type Directive, renderSection } from "./directive.ts";
import type { BridgeSettings, MosquittoVersion } from "./options.ts";

/** The section of `mosquitto.conf` that hands every route's messages, and the replies, to its topic rule in AWS IoT Core. */
export function bridgeSection(scheme: Scheme, bridge: BridgeSettings, version: MosquittoVersion): string {
  return renderSection("Bridge to AWS IoT Core", [
    ["connection iot-core"],
    [`address ${bridge.host}:${bridge.port}`],
    ...protocol(bridge, version),
    ...tls(bridge),
    ...session(bridge),
    ...[...ingestSources(scheme).values()].map(topic),
  ]);
}

function protocol({ protocol: name }: BridgeSettings, version: MosquittoVersion): readonly Directive[] {
  if (name === "mqttv311") {
    return [
      ["bridge_protocol_version mqttv311", "Keeps to one message in flight. MQTT 5 properties of devices are lost."],
      ["try_private false", "IoT Core refuses the protocol number by which Mosquitto presents itself as a bridge."],
    ];
  }
  const directives: Directive[] = [
    [
      "bridge_protocol_version mqttv50",
      "MQTT 5 carries user properties, content type and expiry on to the rules; mqttv311 drops them. The price: " +
        "IoT Core's Receive Maximum then takes the place of max_inflight_messages, so a backlog leaves in bursts.",
    ],
    [
      "try_private false",
      "For the case that it falls back to MQTT 3.1.1, where the bridge flag makes IoT Core refuse.",
    ],
  ];
  if (version === "2.1") {
    directives.push([
      "bridge_session_expiry_interval 3600",
      "In MQTT 5 a session ends with its connection unless it is told otherwise; IoT Core keeps one for an hour.",
    ]);
  }
  return directives;
}

function tls({ cafile, certfile, keyfile, port }: BridgeSettings): readonly Directive[] {
  const directives: Directive[] = [
    [`bridge_cafile ${cafile}`, "Both sides prove who they are; the certificate's policy allows the rules below."],
    [`bridge_certfile ${certfile}`],
    [`bridge_keyfile ${keyfile}`],
  ];
  if (port === 443)
    directives.push(["bridge_alpn x-amzn-mqtt-ca", "By this IoT Core tells MQTT from HTTPS on port 443."]);
  return directives;
}

function session({ clientId }: BridgeSettings): readonly Directive[] {
  return [
    [
      `remote_clientid ${clientId}`,
      "Fixed names: the default ones hold the host's, and a new host would leave its queue behind. A second connection " +
        "with the same client id ends the first.",
    ],
    [`local_clientid local.${clientId}`],
    ["cleansession false", "Keeps what devices publish while the endpoint is away."],
    ["notifications false", "IoT Core ends a connection that publishes to $SYS/…, as these do."],
    ["bridge_attempt_unsubscribe false", "Nothing is subscribed there; the attempt costs one packet for each topic."],
    ["bridge_outgoing_retain false", "IoT Core retains nothing on $aws/… topics."],
    ["keepalive_interval 60", "A dead connection is noticed after 90 seconds."],
    ["restart_timeout 2 30", "Seconds between attempts, with jitter. One value alone is ignored before 2.0.15."],
  ];
}

/** Basic Ingest: straight to the one rule. QoS 1 at most, since IoT Core has no QoS 2; a device's QoS 0 stays 0. */
function topic({ topic: { filter }, qos, ruleName }: IngestSource, index: number): Directive {
  const line = `topic ${filter} out ${qos} "" ${basicIngestTopic(ruleName, "")}`;
  const reason = 'pattern, direction, QoS at most, local prefix "", remote prefix: each route goes to its own rule.';
  return index === 0 ? [line, reason] : [line];
}
