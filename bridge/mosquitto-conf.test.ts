import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { brokerFiles } from "./broker-files.ts";
import type { BrokerOptions } from "./options.ts";

const input = {
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
} as const;
const scheme = defineScheme(input);
const relayScheme = defineScheme({ ...input, uplink: "relay" });
const tls = { certfile: "/tls/broker.pem", keyfile: "/tls/broker.key" };
const bridge = { endpoint: "abc.example.com", cafile: "/tls/aws.pem", certfile: "/tls/b.pem", keyfile: "/tls/b.key" };

test("each release has its own persistence", () => {
  expect(directives({ version: "2.0" })).toEqual(
    expect.arrayContaining(["persistence true", "autosave_on_changes false", "autosave_interval 1"]),
  );
  expect(directives({ version: "2.0", durability: "every-message" })).toContain("autosave_on_changes true");
  const sqlite = directives({ version: "2.1" });
  expect(sqlite).toEqual(expect.arrayContaining(["plugin_opt_sync full", "plugin_opt_flush_period 0"]));
  expect(sqlite).not.toContain("persistence true"); // 2.1 refuses both together
});

test("a bridge hands each route to its rule, at the route's QoS, and the replies to theirs", () => {
  expect(directives({ bridge }).filter((line) => line.startsWith("topic "))).toEqual([
    'topic v1/drivers/+/location out 1 "" $aws/rules/acme_prod_location/',
    'topic v1/drivers/+/health out 0 "" $aws/rules/acme_prod_health/',
    'topic Push/Replies/+ out 1 "" $aws/rules/acme_prod_replies/',
  ]);
});

test("a bridge is what IoT Core takes, on both releases", () => {
  const wanted = [
    "connection iot-core",
    "address abc.example.com:8883",
    "bridge_protocol_version mqttv50",
    "try_private false",
    "notifications false",
    "bridge_attempt_unsubscribe false",
    "bridge_outgoing_retain false",
    "cleansession false",
    "max_inflight_messages 1",
    "restart_timeout 2 30",
  ];
  const session = "bridge_session_expiry_interval 3600"; // unknown to 2.0, and an error there
  expect(directives({ bridge, version: "2.0" })).toEqual(expect.arrayContaining(wanted));
  expect(directives({ bridge, version: "2.0" })).not.toContain(session);
  expect(directives({ bridge, version: "2.1" })).toEqual(expect.arrayContaining([...wanted, session]));
});

test("port 443 is reached by ALPN", () => {
  expect(directives({ bridge: { ...bridge, endpoint: "abc.example.com:443" } })).toContain(
    "bridge_alpn x-amzn-mqtt-ca",
  );
});

test("without an endpoint there is no bridge, nor its limit", () => {
  const lines = directives({});
  expect(lines.filter((line) => /^(connection |topic |max_inflight_messages 1$)/.test(line))).toEqual([]);
});

test.for(["2.0", "2.1"] as const)(
  "before the relay Mosquitto %s takes larger payloads, and has no bridge",
  (version) => {
    const services = { relay: "trestle.relay" };
    const lines = directives({ version, services }, relayScheme);
    expect(lines).toEqual(expect.arrayContaining(["message_size_limit 262144", "max_packet_size 262410"]));
    expect(lines).toEqual(expect.arrayContaining(["max_inflight_messages 1000", "persistent_client_expiration 7d"]));
    expect(lines.filter((line) => /^(connection|topic|bridge_\S+) /.test(line))).toEqual([]);
    expect(directives({ version })).toContain("message_size_limit 131072");
  },
);

test("a user name has to be proved where others can connect", () => {
  const address = "0.0.0.0";
  const byPassword = directives({ listener: { address, identity: { kind: "password", file: "/passwords" } } });
  expect(byPassword).toEqual(expect.arrayContaining(["password_file /passwords", "allow_anonymous false"]));
  const byCertificate = directives({
    listener: { address, tls, identity: { kind: "certificate", cafile: "/ca.pem" } },
  });
  expect(byCertificate).toEqual(
    expect.arrayContaining(["cafile /ca.pem", "require_certificate true", "use_identity_as_username true"]),
  );
  expect([...byPassword, ...byCertificate]).not.toContain("allow_anonymous true");
});

/** The lines of mosquitto.conf that Mosquitto reads. */
function directives(options: Partial<BrokerOptions>, of = scheme): readonly string[] {
  const text = brokerFiles(of, { folder: "/etc/mosquitto", ...options }).get("mosquitto.conf") ?? "";
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
