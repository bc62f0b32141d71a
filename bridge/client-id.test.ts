import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { uplinkClientId } from "./client-id.ts";

const base = {
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
} as const;

test.for([
  ["bridge", undefined, "acme-prod-edge"],
  ["bridge", "edge:2", "edge:2"],
  ["bridge", "x".repeat(128), "x".repeat(128)],
  ["bridge", "x".repeat(129), "BRIDGE_CLIENT_ID_INVALID"],
  ["bridge", "", "BRIDGE_CLIENT_ID_INVALID"],
  ["bridge", "edge 1", "BRIDGE_CLIENT_ID_INVALID"],
  ["relay", undefined, "acme-prod-edge"],
  ["relay", "berlin:edge", "berlin:edge"],
  ["relay", "edge:2b", "edge:2b"],
  ["relay", "edge:2", "RELAY_CLIENT_ID_TAKEN"], // the second connection of the relay `edge`
  ["relay", "edge:2:3", "RELAY_CLIENT_ID_TAKEN"],
  ["relay", "x".repeat(124), "x".repeat(124)],
  ["relay", "x".repeat(125), "BRIDGE_CLIENT_ID_INVALID"], // no room for `:999`
] as const)("uplink %s, client id '%s': %s", ([uplink, given, expected]) => {
  const scheme = defineScheme({ ...base, uplink });
  if (expected.startsWith("BRIDGE_") || expected.startsWith("RELAY_")) {
    expect(() => uplinkClientId(scheme, given)).toThrow(expect.objectContaining({ code: expected }));
  } else {
    expect(uplinkClientId(scheme, given)).toBe(expected);
  }
});
