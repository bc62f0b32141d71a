import { expect, test } from "vitest";
import { localParameters } from "./local-parameters.ts";

const local = { apiUrl: "http://127.0.0.1:18831", brokerUrl: "mqtt://trestle.push@127.0.0.1:18830" };
const [one, other, dataPlane] = [{ url: "mqtts://a:8883" }, { url: "mqtts://b:8883" }, { url: "aws-iot:" }];

test.for([
  ["one broker", [one], true, local.brokerUrl],
  ["two", [one, other], true, local.brokerUrl], // one stands for both: no command leaves this machine
  ["IoT Core among others", [dataPlane, one], true, local.brokerUrl],
  ["IoT Core alone", [dataPlane], true, undefined], // the engine's data plane
  ["no need of any", [one], false, undefined],
] as const)("for a scheme with %s", ([, brokers, hasBrokerUrls, BrokerUrls]) => {
  const parameters = localParameters({ brokers }, { hasBrokerUrls, hasPushEndpoint: hasBrokerUrls }, local);
  expect(parameters).toEqual({ ApiUrl: local.apiUrl, ...(BrokerUrls === undefined ? {} : { BrokerUrls }) });
});
