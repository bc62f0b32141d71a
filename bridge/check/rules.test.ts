import { expect, test } from "vitest";
import { listenerRules, securityRules } from "./access-rules.ts";
import { brokerRules } from "./broker-rules.ts";
import { connectionRules } from "./connection-rules.ts";
import type { CheckCode, Severity } from "./finding.ts";
import { type Change, changedConf, checkText } from "./testing.ts";
import { topicRules } from "./topic-rules.ts";

type Case = readonly [title: string, change: Change, code: CheckCode, severity: Severity, directive: string];

const classic: readonly string[] = ["persistence", "persistence_location", "autosave_interval"];
const sqlite = "plugin /usr/lib/mosquitto_persist_sqlite.so";

const cases: readonly Case[] = [
  // Who connects.
  ["anonymous clients from everywhere", { set: ["allow_anonymous true"] }, "BROKER_OPEN", "refused", "allow_anonymous"],
  ["no ACL", { without: ["acl_file"] }, "BROKER_OPEN", "refused", "acl_file"],
  [
    "one open listener of several",
    { first: ["listener 1883 127.0.0.1", "listener 1884 10.0.0.7", "listener_allow_anonymous true"] },
    "BROKER_OPEN",
    "refused",
    "listener_allow_anonymous",
  ],
  ["an open HTTP interface", { first: ["listener 8080", "protocol http_api"] }, "BROKER_OPEN", "refused", "protocol"],
  // What is kept.
  ["nothing on disk", { without: classic }, "BROKER_NOT_DURABLE", "refused", "persistence"],
  ["persistence switched off", { set: ["persistence false"] }, "BROKER_NOT_DURABLE", "refused", "persistence"],
  [
    "two kinds of persistence",
    { first: [sqlite, "plugin_opt_flush_period 0"] },
    "CONF_INVALID",
    "refused",
    "persistence",
  ],
  ["a save each half hour", { without: ["autosave_interval"] }, "BROKER_NOT_DURABLE", "refused", "autosave_interval"],
  ["no save before the end", { set: ["autosave_interval 0"] }, "BROKER_NOT_DURABLE", "refused", "autosave_interval"],
  ["a save each 5 s", { set: ["autosave_interval 5"] }, "BROKER_NOT_DURABLE", "warning", "autosave_interval"],
  [
    "a save each 100 changes",
    { set: ["autosave_interval 100", "autosave_on_changes true"] },
    "BROKER_NOT_DURABLE",
    "warning",
    "autosave_interval",
  ],
  ["a state somewhere", { without: ["persistence_location"] }, "BROKER_NOT_DURABLE", "warning", "persistence_location"],
  [
    "a database that is written now and then",
    { without: classic, first: [sqlite, "plugin_opt_sync normal"] },
    "BROKER_NOT_DURABLE",
    "warning",
    "plugin_opt_flush_period",
  ],
  ["the default queue", { without: ["max_queued_messages"] }, "BROKER_NOT_DURABLE", "refused", "max_queued_messages"],
  ["a queue of 1,000", { set: ["max_queued_messages 1000"] }, "BROKER_NOT_DURABLE", "refused", "max_queued_messages"],
  ["an endless queue", { set: ["max_queued_messages 0"] }, "BROKER_NOT_DURABLE", "warning", "max_queued_messages"],
  // How large, how fast.
  ["payloads of any size", { without: ["message_size_limit"] }, "BROKER_UNLIMITED", "refused", "message_size_limit"],
  ["payloads of 256 KB", { set: ["message_size_limit 262144"] }, "BROKER_UNLIMITED", "refused", "message_size_limit"],
  ["packets of any size", { without: ["max_packet_size"] }, "BROKER_UNLIMITED", "warning", "max_packet_size"],
  [
    "sessions that never end",
    { without: ["persistent_client_expiration"] },
    "BROKER_UNLIMITED",
    "warning",
    "persistent_client_expiration",
  ],
  ["Nagle's algorithm", { without: ["set_tcp_nodelay"] }, "BROKER_SLOW", "warning", "set_tcp_nodelay"],
  // The bridge.
  ["the bridge's bit", { set: ["try_private true"] }, "BRIDGE_INCOMPATIBLE", "refused", "try_private"],
  [
    "the bridge's bit by default",
    { without: ["try_private"], set: ["bridge_protocol_version mqttv311"] },
    "BRIDGE_INCOMPATIBLE",
    "refused",
    "try_private",
  ],
  ["the bridge's bit after a fallback", { without: ["try_private"] }, "BRIDGE_INCOMPATIBLE", "warning", "try_private"],
  [
    "MQTT 3.1",
    { set: ["bridge_protocol_version mqttv31"] },
    "BRIDGE_INCOMPATIBLE",
    "refused",
    "bridge_protocol_version",
  ],
  ["notifications by default", { without: ["notifications"] }, "BRIDGE_INCOMPATIBLE", "refused", "notifications"],
  ["a clean session", { set: ["cleansession true"] }, "BRIDGE_NOT_DURABLE", "refused", "cleansession"],
  ["a clean local session", { set: ["local_cleansession 1"] }, "BRIDGE_NOT_DURABLE", "refused", "local_cleansession"],
  [
    "a session that ends at once",
    { without: ["bridge_session_expiry_interval"] },
    "BRIDGE_NOT_DURABLE",
    "refused",
    "bridge_session_expiry_interval",
  ],
  ["a name of the host", { without: ["remote_clientid"] }, "BRIDGE_UNSTABLE", "warning", "remote_clientid"],
  ["a long name", { set: [`remote_clientid ${"x".repeat(129)}`] }, "BRIDGE_INCOMPATIBLE", "refused", "remote_clientid"],
  [
    "a name of another connection",
    { added: ["connection second", "address 127.0.0.1:1", "try_private false", "remote_clientid edge-1"] },
    "BRIDGE_INCOMPATIBLE",
    "refused",
    "remote_clientid",
  ],
  ["no TLS", { without: ["bridge_cafile"] }, "BRIDGE_INCOMPATIBLE", "refused", "bridge_cafile"],
  ["no certificate", { without: ["bridge_certfile"] }, "BRIDGE_INCOMPATIBLE", "refused", "bridge_certfile"],
  ["port 443 without ALPN", { set: ["address abc:443"] }, "BRIDGE_INCOMPATIBLE", "refused", "bridge_alpn"],
  ["an endpoint of any name", { set: ["bridge_insecure true"] }, "BRIDGE_INSECURE", "refused", "bridge_insecure"],
  [
    "stapling asked for",
    { set: ["bridge_require_ocsp true"] },
    "BRIDGE_INCOMPATIBLE",
    "warning",
    "bridge_require_ocsp",
  ],
  [
    "idle unsubscribing",
    { without: ["bridge_attempt_unsubscribe"] },
    "BRIDGE_UNSTABLE",
    "warning",
    "bridge_attempt_unsubscribe",
  ],
  [
    "retained messages to a rule",
    { without: ["bridge_outgoing_retain"] },
    "BRIDGE_INCOMPATIBLE",
    "refused",
    "bridge_outgoing_retain",
  ],
  [
    "retained messages to a topic",
    { without: ["bridge_outgoing_retain"], set: ["topic v1/+/location out 1"] },
    "BRIDGE_UNSTABLE",
    "warning",
    "bridge_outgoing_retain",
  ],
  ["a constant pause", { set: ["restart_timeout 5"] }, "BRIDGE_UNSTABLE", "warning", "restart_timeout"],
  ["pings too often", { set: ["keepalive_interval 10"] }, "BRIDGE_INCOMPATIBLE", "warning", "keepalive_interval"],
  ["a lazy start", { set: ["start_type lazy"] }, "BRIDGE_NOT_DURABLE", "warning", "start_type"],
  [
    "a limit that leaks slots",
    { set: ["bridge_max_packet_size 131072"] },
    "BRIDGE_STALLS",
    "warning",
    "bridge_max_packet_size",
  ],
  [
    "twenty in flight",
    { set: ["bridge_protocol_version mqttv311"], without: ["max_inflight_messages"] },
    "BRIDGE_STALLS",
    "warning",
    "max_inflight_messages",
  ],
  // Its topics.
  ["QoS 2", { added: ["topic v2/+/x out 2"] }, "BRIDGE_INCOMPATIBLE", "refused", "topic"],
  ["both directions", { added: ["topic v2/+/x both 1"] }, "BRIDGE_LOOP", "refused", "topic"],
  ["a way out and back", { added: ["topic Push/# out 1"] }, "BRIDGE_LOOP", "refused", "topic"],
  ["two lines for one topic", { added: ["topic Push/SDKControls/d42 in 1"] }, "BRIDGE_LOOP", "refused", "topic"],
  ["a shared way in", { added: ["topic $share/a/x/+ in 1"] }, "BRIDGE_INCOMPATIBLE", "refused", "topic"],
  ["shared and renamed", { added: ['topic $share/a/x/+ out 1 "" y/'] }, "BRIDGE_INCOMPATIBLE", "refused", "topic"],
  ["nine levels", { added: ["topic a/b/c/d/e/f/g/h/i out 1"] }, "BRIDGE_INCOMPATIBLE", "refused", "topic"],
  ["any depth", { added: ["topic v2/# out 1"] }, "BRIDGE_STALLS", "warning", "topic"],
  ["no QoS", { added: ["topic v2/+/x out"] }, "BRIDGE_NOT_DURABLE", "warning", "topic"],
];

test("the configuration that the cases change has no fault", async () => {
  expect((await checkText(changedConf({}))).findings).toEqual([]);
});

test.for(cases)("finds %s", async ([, change, code, severity, directive]) => {
  const { findings } = await checkText(changedConf(change));
  expect(findings).toContainEqual(expect.objectContaining({ code, severity, directive }));
});

test("an MQTT 5 bridge of Mosquitto 2.0 that subscribes is warned of, one that does not is not", async () => {
  const older = { without: ["bridge_session_expiry_interval"] };
  const { findings } = await checkText(changedConf(older), { version: "2.0" });
  expect(findings).toMatchObject([
    { code: "BRIDGE_NOT_DURABLE", severity: "warning", directive: "bridge_protocol_version" },
  ]);
  const silent = changedConf(older).replace("topic Push/SDKControls/+ in 1", "");
  expect((await checkText(silent, { version: "2.0" })).findings).toEqual([]);
  expect((await checkText(silent, { version: "2.1" })).findings).toEqual([]);
});

// Each of these differs from a case above in what makes it harmless.
test.for([
  ["anonymous clients on loopback", { set: ["allow_anonymous true", "listener 1883 127.0.0.1"] }],
  ["anonymous clients on a socket in a folder", { set: ["allow_anonymous true", "listener 0 /run/mosquitto.sock"] }],
  ["one listener that is closed by itself", { first: ["listener 1883 ::1", "listener_allow_anonymous true"] }],
  ["an ACL by plugin", { without: ["acl_file"], first: ["plugin /usr/lib/mosquitto_dynamic_security.so"] }],
  ["a limit by packet size alone", { without: ["message_size_limit"], set: ["max_packet_size 131072"] }],
  ["local notifications", { set: ["notifications true", "notifications_local_only true"] }],
  ["a relay on this machine", { set: ["address 127.0.0.1:8884"], without: ["bridge_cafile", "bridge_certfile"] }],
  ["port 443 with ALPN", { set: ["address abc:443", "bridge_alpn x-amzn-mqtt-ca"] }],
  ["the same topic to two rules", { added: ['topic v1/+/location out 1 "" $aws/rules/acme_other/'] }],
  ["QoS 0 that is said", { added: ["topic v2/+/x out 0"] }],
  ["eight levels of a rule's topic", { added: ['topic a/b/c/d/e/f/g/h out 1 "" $aws/rules/r/'] }],
  ["a password for a custom authorizer", { without: ["bridge_certfile"], added: ["remote_username edge"] }],
] as const)("accepts %s", async ([, change]) => {
  expect((await checkText(changedConf(change))).findings).toEqual([]);
});

test.for([
  ["message_size_limit 262144", []],
  ["message_size_limit 262145", ["message_size_limit"]],
  ["max_packet_size 272000", ["max_packet_size"]],
] as const)("without a bridge, before the relay say: %s", async ([line, directives]) => {
  const set = ["message_size_limit 262144", "max_packet_size 262410"].map((each) =>
    each.split(" ")[0] === line.split(" ")[0] ? line : each,
  );
  const [broker = ""] = changedConf({ set }).split("connection iot-core");
  expect((await checkText(broker)).findings.map(({ directive }) => directive)).toEqual(directives);
});

test("each rule has a case, a reason and a source", () => {
  const rules = [...brokerRules, ...securityRules, ...listenerRules, ...connectionRules, ...topicRules];
  const known = cases.map(([, , ...expected]) => expected.join(" "));
  const versioned = "BRIDGE_NOT_DURABLE warning bridge_protocol_version"; // of Mosquitto 2.0, in a test of its own
  for (const { code, severity, directive, reason, source } of rules) {
    expect([...known, versioned]).toContain(`${code} ${severity} ${directive}`);
    expect(reason.length).toBeGreaterThan(20);
    expect(source).not.toBe("");
  }
});
