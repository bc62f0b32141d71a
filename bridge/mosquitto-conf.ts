import { join } from "node:path";
import type { Scheme } from "../scheme/scheme.ts";
import { maxTopicBytes } from "../scheme/topic-name.ts";
import { bridgeSection } from "./bridge-section.ts";
import { comment, type Directive, renderSection } from "./directive.ts";
import type { BrokerSettings, Identity } from "./options.ts";
import { maxPayloadBytes, maxRelayPayloadBytes } from "./payload-limits.ts";
import { persistenceSection } from "./persistence-section.ts";

/** Name of the ACL file beside `mosquitto.conf`. */
export const aclFileName = "acl";

/** What a PUBLISH has beside its payload: topic, first byte, remaining length, topic's length, packet id, no property. */
const maxHeaderBytes = maxTopicBytes + 1 + 4 + 2 + 2 + 1;

/** The whole `mosquitto.conf` of a broker for devices, each directive that matters with its reason beside it. */
export function mosquittoConf(scheme: Scheme, settings: BrokerSettings): string {
  const { version, bridge, services } = settings;
  const hasRelay = services.relay !== undefined;
  const sections = [
    comment(`Mosquitto ${version} for '${scheme.name}', stage '${scheme.stage}'. Generated from the topic scheme.`),
    renderSection("Who connects", [...listener(settings), ...identity(settings)]),
    renderSection("Limits", [...limits(hasRelay), ...inflight(bridge !== undefined, hasRelay)]),
    persistenceSection(settings),
    renderSection("Log", log),
  ];
  if (bridge !== undefined) sections.push(bridgeSection(scheme, bridge, version));
  return `${sections.join("\n\n")}\n`;
}

function listener({ user, folder, listener: { port, address, tls } }: BrokerSettings): readonly Directive[] {
  const directives: Directive[] = [
    [`listener ${port} ${address}`],
    [
      "set_tcp_nodelay true",
      "Without it a publisher that waits for acknowledgements gets 2,100 messages/s through, with it 28,000 (measured).",
    ],
    ["max_qos 1", "IoT Core has no QoS 2. A client that publishes with it is disconnected, there as here."],
  ];
  if (tls !== undefined) directives.push([`certfile ${tls.certfile}`], [`keyfile ${tls.keyfile}`]);
  directives.push([`acl_file ${join(folder, aclFileName)}`, "What a user may publish and read."]);
  if (user !== undefined) directives.push([`user ${user}`, "Whom Mosquitto becomes when root starts it."]);
  return directives;
}

function identity({ listener: { identity }, isClientIdUserName }: BrokerSettings): readonly Directive[] {
  const clientIds: Directive[] = isClientIdUserName
    ? [["use_username_as_clientid true", "A client id cannot be another's: nobody ends or empties another's session."]]
    : [];
  return [...proof(identity), ...clientIds];
}

function proof(identity: Identity | undefined): readonly Directive[] {
  const noEmptyClientId: Directive = [
    "allow_zero_length_clientid false",
    "A session under a name that the broker makes up is one that nobody comes back to.",
  ];
  switch (identity?.kind) {
    case "password": {
      const reason = "A user name counts when its password does. Give out device ids as user names, and nothing else.";
      return [[`password_file ${identity.file}`, reason], ["allow_anonymous false"], noEmptyClientId];
    }
    case "certificate":
      return [
        [`cafile ${identity.cafile}`, "Devices show a certificate of this authority."],
        ["require_certificate true"],
        [
          "use_identity_as_username true",
          "Its common name is the user name, whatever CONNECT says. Issue device ids, and nothing else.",
        ],
        ["allow_anonymous false"],
        noEmptyClientId,
      ];
    case undefined:
      return [
        [
          "allow_anonymous true",
          "Every user name is believed, a service's too: only programs of this machine can connect. For trying out, or " +
            "behind a gate that checks names.",
        ],
        ["allow_zero_length_clientid true", "So that a user name is all that mosquitto_pub needs."],
      ];
    default:
      return identity satisfies never;
  }
}

function limits(hasRelay: boolean): readonly Directive[] {
  const payloadBytes = hasRelay ? maxRelayPayloadBytes : maxPayloadBytes;
  return [
    [
      `message_size_limit ${payloadBytes}`,
      hasRelay
        ? `IoT Core takes ${maxPayloadBytes}; of more the relay makes a dead letter with all bytes. What is larger than ` +
          "this ends here."
        : "IoT Core ends the connection over a larger payload, and a bridge would send it first again, for ever.",
    ],
    [
      `max_packet_size ${payloadBytes + maxHeaderBytes}`,
      "The same with topic and header; MQTT 5 clients are told it. A larger packet disconnects its sender, who so learns " +
        "of it. What only message_size_limit refuses, here a window of some 260 bytes, is dropped: MQTT 3.1.1 gets a PUBACK " +
        "like any other, MQTT 5 one with reason 0x95, which some clients take for a protocol error.",
    ],
    [
      "max_queued_messages 1000000",
      "For each session. The default of 1,000 keeps the oldest and drops the rest, although their senders got a PUBACK; " +
        "0, meant as unlimited, has been faulty in one release after another." +
        (hasRelay ? " While the relay is away, 100 messages/s fill it in 2 hours and 46 minutes." : ""),
    ],
    [
      "max_queued_bytes 500000000",
      "Whichever limit is reached first counts. A queued message takes some 300 bytes more.",
    ],
    [
      "persistent_client_expiration 7d",
      `A session that nobody came back to for so long is dropped with its queue${hasRelay ? ", the relay's too" : ""}.`,
    ],
    [
      "max_keepalive 1200",
      "IoT Core's limit. Mosquitto 2.1 refuses an MQTT 3.1.1 client that asks for more, or for none (0); 2.0.11 lets it in.",
    ],
  ];
}

/** Messages that the broker sends to one client before it waits for an acknowledgement; one value for all clients. */
function inflight(hasBridge: boolean, hasRelay: boolean): readonly Directive[] {
  if (hasBridge) {
    return [
      [
        "max_inflight_messages 1",
        "IoT Core drops what exceeds 100 publishes/s without a PUBACK, and a bridge sends again only after it has " +
          "reconnected: it would stall. One at a time caps a bridge at one message per round trip (33/s at 30 ms), " +
          "and every other client as well; a Receive Maximum that the endpoint announces to an MQTT 5 bridge overrides it. " +
          "A fleet that sends more than 100 messages in one second wants the relay.",
      ],
    ];
  }
  return [
    [
      "max_inflight_messages 1000",
      hasRelay
        ? "A client that acknowledges after a round trip to AWS gets this many messages per round trip: with the default of " +
          "20 and 50 ms 400/s, with this 20,000/s. The Receive Maximum that the relay announces, 65535, takes its place."
        : "A subscriber that writes to disk before it acknowledges does so in groups.",
    ],
  ];
}

const log: readonly Directive[] = [
  ["log_dest stderr", "Unbuffered; stdout reaches a pipe in blocks of 4 KB, long after the event."],
  ["log_type error"],
  ["log_type warning"],
  ["log_type notice"],
  ["log_type information"],
  ["connection_messages true"],
  ["log_timestamp_format %Y-%m-%dT%H:%M:%S%z"],
];
