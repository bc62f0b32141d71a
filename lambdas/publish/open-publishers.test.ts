import { expect, test } from "vitest";
import { secret } from "../../scheme/scheme.ts";
import { MqttPublisher } from "./mqtt-publisher.ts";
import { openPublishers } from "./open-publishers.ts";

const fetchSecret = async (name: string): Promise<string> => {
  throw new Error(`${name} was asked for`);
};

test("opens a publisher for each URL, by its protocol, with the name that the ledger has it by", () => {
  const brokers = [{ url: "mqtts://a", credentials: secret("acme/broker") }, { url: "aws-iot:" }, { url: "mqtt://c" }];
  const urls = ["mqtts://Broker.Example.com", "aws-iot:", "mqtt://user:word@127.0.0.1", "mqtt://[::1]:1884"];
  const publishers = openPublishers({ brokers, urls, fetchSecret });
  expect(publishers.map(({ name }) => name)).toEqual([
    "broker.example.com:8883",
    "aws-iot",
    "127.0.0.1:1883",
    "[::1]:1884",
  ]);
  const kinds = publishers.map((publisher) => (publisher instanceof MqttPublisher ? "MQTT" : "data plane"));
  expect(kinds).toEqual(["MQTT", "data plane", "MQTT", "MQTT"]);
});

test.for([
  [[""], "place 1 is not mqtt:, mqtts: or aws-iot:"],
  [["mqtt://a", "https://u:geheim@b"], "place 2 is not mqtt:, mqtts: or aws-iot:"],
  [["mqtt://"], "place 1 is not"],
  [["mqtt://a", "mqtt://u:geheim@A:1883"], "two broker URLs lead to a:1883"],
] as const)("refuses the URLs %j", ([urls, message]) => {
  expect(() => openPublishers({ brokers: [], urls, fetchSecret })).toThrow(
    expect.objectContaining({ message: expect.stringMatching(new RegExp(`^(?!.*geheim).*${message}`)) }),
  );
});
