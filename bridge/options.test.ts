import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { BridgeError, type BridgeErrorCode } from "./bridge-error.ts";
import { type BridgeOptions, type BrokerOptions, readOptions } from "./options.ts";

const input = {
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
} as const;
const scheme = defineScheme(input);
const relayScheme = defineScheme({ ...input, uplink: "relay" });
const tls = { certfile: "/etc/tls/broker.pem", keyfile: "/etc/tls/broker.key" };
const password = { kind: "password", file: "/etc/mosquitto/passwords" } as const;
const certificate = { kind: "certificate", cafile: "/etc/tls/devices.pem" } as const;
const bridge: BridgeOptions = {
  endpoint: "abc-ats.iot.eu-central-1.amazonaws.com",
  cafile: "/etc/tls/aws.pem",
  ...tls,
};

const refusals: readonly (readonly [string, Partial<BrokerOptions>, BridgeErrorCode])[] = [
  ["all addresses, nothing proves a user", { listener: { address: "0.0.0.0" } }, "BROKER_OPEN"],
  ["all addresses of IPv6", { listener: { address: "::" } }, "BROKER_OPEN"],
  ["another machine's reach", { listener: { address: "10.0.0.7" } }, "BROKER_OPEN"],
  ["a name that only looks like loopback", { listener: { address: "localhost.example.com" } }, "BROKER_OPEN"],
  ["TLS that asks for no certificate", { listener: { address: "0.0.0.0", tls } }, "BROKER_OPEN"],
  ["client certificates without TLS", { listener: { identity: certificate } }, "BROKER_LISTENER_INVALID"],
  ["a port that does not exist", { listener: { port: 65_536 } }, "BROKER_LISTENER_INVALID"],
  ["an address that adds a line", { listener: { address: "::1\nallow_anonymous true" } }, "BROKER_LISTENER_INVALID"],
  ["a path that adds a line", { listener: { tls: { ...tls, keyfile: "/k\nuser root" } } }, "BROKER_PATH_INVALID"],
  ["a path that ends in a space", { persistence: { location: "/data " } }, "BROKER_PATH_INVALID"],
  ["a relative path", { folder: "out" }, "BROKER_PATH_INVALID"],
  ["a service that is a possible device", { services: { engine: "engine" } }, "BROKER_USER_INVALID"],
  ["a service with a slash", { services: { engine: "a.b/c" } }, "BROKER_USER_INVALID"],
  ["a service with a wildcard", { services: { publisher: "a.+" } }, "BROKER_USER_INVALID"],
  ["a relay that the scheme does not have", { services: { relay: "trestle.relay" } }, "RELAY_NOT_IN_SCHEME"],
  ["an endpoint with a scheme", { bridge: { ...bridge, endpoint: "mqtts://abc" } }, "BRIDGE_ENDPOINT_INVALID"],
  ["an endpoint with a port too high", { bridge: { ...bridge, endpoint: "abc:70000" } }, "BRIDGE_ENDPOINT_INVALID"],
  ["an endpoint with a space", { bridge: { ...bridge, endpoint: "abc 1" } }, "BRIDGE_ENDPOINT_INVALID"],
  ["a client id that is too long", { bridge: { ...bridge, clientId: "x".repeat(129) } }, "BRIDGE_CLIENT_ID_INVALID"],
];

test.for(refusals)("refuses %s", ([, options, code]) => {
  expect(() => readOptions(scheme, { folder: "/etc/mosquitto", ...options })).toThrow(
    expect.objectContaining({ constructor: BridgeError, code }),
  );
});

test("refuses a relay beside a bridge, and one whose user could be a device", () => {
  const read = (options: Partial<BrokerOptions>) => () => readOptions(relayScheme, { folder: "/etc", ...options });
  const services = { relay: "trestle.relay" };
  expect(read({ services })).not.toThrow();
  expect(read({ bridge })).not.toThrow(); // of another broker of the same scheme, say
  expect(read({ services, bridge })).toThrow(expect.objectContaining({ code: "RELAY_BESIDE_BRIDGE" }));
  expect(read({ services: { relay: "relay" } })).toThrow(expect.objectContaining({ code: "BROKER_USER_INVALID" }));
});

test.for([
  ["loopback", {}],
  ["loopback by name", { address: "localhost" }],
  ["loopback of IPv6", { address: "::1" }],
  ["passwords", { address: "0.0.0.0", identity: password }],
  ["client certificates", { address: "0.0.0.0", tls, identity: certificate }],
] as const)("accepts a listener: %s", ([, listener]) => {
  expect(() => readOptions(scheme, { folder: "/etc/mosquitto", listener })).not.toThrow();
});

test("ports, client id and durability have defaults that follow the rest", () => {
  const plain = readOptions(scheme, { folder: "/etc/mosquitto", version: "2.0", bridge });
  expect(plain).toMatchObject({ listener: { address: "127.0.0.1", port: 1883 }, durability: "every-second" });
  expect(plain.bridge).toMatchObject({ port: 8883, clientId: "acme-prod-edge", protocol: "mqttv50" });
  const secured = readOptions(scheme, { folder: "/etc/mosquitto", listener: { tls } });
  expect(secured).toMatchObject({ listener: { port: 8883 }, version: "2.1", durability: "every-message" });
});
