import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defineScheme } from "../../scheme/define-scheme.ts";
import { brokerFiles, configFileName } from "../broker-files.ts";
import type { BrokerOptions, Durability, Identity, MosquittoVersion } from "../options.ts";
import { checkConf } from "./check-conf.ts";
import { temporaryFolder } from "./testing.ts";

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
const files = { cafile: "/tls/aws.pem", certfile: "/tls/bridge.pem", keyfile: "/tls/bridge.key" };
const password: Identity = { kind: "password", file: "/etc/passwords" };

const versions: readonly MosquittoVersion[] = ["2.0", "2.1"];
const durabilities: readonly Durability[] = ["every-message", "every-second"];
const listeners: readonly BrokerOptions["listener"][] = [
  {},
  { address: "0.0.0.0", identity: password },
  { address: "::", tls, identity: password },
  { address: "0.0.0.0", tls, identity: { kind: "certificate", cafile: "/tls/devices.pem" } },
];
const uplinks: readonly Pick<BrokerOptions, "bridge" | "services">[] = [
  {},
  { bridge: { ...files, endpoint: "abc.example.com" } },
  { bridge: { ...files, endpoint: "abc.example.com:443" } },
  { bridge: { ...files, endpoint: "abc.example.com", protocol: "mqttv311" } },
  { services: { relay: "trestle.relay" } },
];

/** 80 of them. */
const variants = versions.flatMap((version) =>
  durabilities.flatMap((durability) =>
    listeners.flatMap((listener) => uplinks.map((uplink) => ({ version, durability, listener, ...uplink }) as const)),
  ),
);

test("what `bridge config` generates has no fault, in any variant", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, configFileName);
  for (const { listener = {}, ...variant } of variants) {
    const generated = brokerFiles(variant.services === undefined ? scheme : relayScheme, {
      folder,
      ...variant,
      listener,
      user: "mosquitto",
      isClientIdUserName: true,
    });
    await writeFile(file, generated.get(configFileName) ?? "");
    const { findings } = await checkConf(file, { version: variant.version });
    expect.soft(findings, JSON.stringify({ listener, ...variant })).toEqual([]);
  }
});

test("a configuration for the other release is told where it says what that does not know", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, configFileName);
  const bridge = { ...files, endpoint: "abc.example.com" };
  await writeFile(file, brokerFiles(scheme, { folder, version: "2.1", bridge }).get(configFileName) ?? "");
  expect((await checkConf(file, { version: "2.0" })).findings).toMatchObject([
    { code: "CONF_UNKNOWN", directive: "bridge_session_expiry_interval" },
  ]);
});
