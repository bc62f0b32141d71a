import { expect, test } from "vitest";
import { brokerName, isDataPlane } from "./broker-url.ts";

test.for([
  ["mqtts://broker.example.com", "broker.example.com:8883"],
  ["mqtts://Broker.example.com:443/", "broker.example.com:443"],
  ["mqtt://127.0.0.1", "127.0.0.1:1883"],
  ["mqtt://user:password@127.0.0.1:20001", "127.0.0.1:20001"], // no secret in the ledger
  ["mqtt://[fd00::1]", "[fd00::1]:1883"],
  ["aws-iot:", "aws-iot"],
] as const)("the ledger calls %s %s", ([url, name]) => {
  expect(brokerName(url)).toBe(name);
});

test("only its own URL is the data plane", () => {
  expect(["aws-iot:", "mqtts://aws-iot"].map(isDataPlane)).toEqual([true, false]);
});
