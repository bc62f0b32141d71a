import { expect, test } from "vitest";
import { defineScheme } from "../scheme/define-scheme.ts";
import { aclFile } from "./acl.ts";
import { type BrokerOptions, readOptions } from "./options.ts";

const scheme = defineScheme({
  name: "acme",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    reading: { topic: "v1/sites/{site}/{deviceId}", qos: 0 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com:8883" }],
  uplink: "relay",
});

test("a device has its own level of each topic, and nothing beyond", () => {
  expect(rules({})).toEqual([
    "pattern write v1/drivers/%u/location",
    "pattern write v1/sites/+/%u",
    "pattern read Push/SDKControls/%u",
    "pattern write Push/Replies/%u",
    "pattern read orders/+",
  ]);
});

test("services have the other end of what devices have", () => {
  expect(rules({ engine: "trestle.engine", publisher: "trestle.push" }).slice(5)).toEqual([
    "user trestle.engine",
    "topic read v1/drivers/+/location",
    "topic read v1/sites/+/+",
    "topic read Push/Replies/+",
    "user trestle.push",
    "topic readwrite Push/SDKControls/+",
    "topic read Push/Replies/+",
    "topic write orders/+",
  ]);
});

test("the relay reads what the engine does", () => {
  const [, ...relay] = rules({ relay: "trestle.relay" }).slice(5);
  const [, ...engine] = rules({ engine: "trestle.engine" }).slice(5);
  expect(relay).toEqual(engine);
  expect(rules({ relay: "trestle.relay" })).toContain("user trestle.relay");
});

function rules(services: NonNullable<BrokerOptions["services"]>): readonly string[] {
  const file = aclFile(scheme, readOptions(scheme, { folder: "/etc/mosquitto", services }));
  return file.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
