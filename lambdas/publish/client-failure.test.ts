import { expect, test } from "vitest";
import { ClientError, type ClientErrorCode } from "../../client/client-error.ts";
import { isForWantOfSecrets, isLoss, openingErrorOf, publishErrorOf } from "./client-failure.ts";
import { PublishError, type PublishErrorCode } from "./publish-error.ts";

const cases: readonly (readonly [ClientErrorCode, number | undefined, PublishErrorCode])[] = [
  ["CLIENT_INVALID", undefined, "BROKER_REFUSED"],
  ["CLIENT_UNREACHABLE", undefined, "BROKER_UNREACHABLE"],
  ["CLIENT_DISCONNECTED", undefined, "BROKER_UNREACHABLE"],
  ["CLIENT_DISCONNECTED", 0x8b, "BROKER_UNREACHABLE"], // the server shuts down
  ["CLIENT_CLOSED", undefined, "BROKER_UNREACHABLE"],
  ["CLIENT_TIMEOUT", undefined, "BROKER_TIMEOUT"],
  ["CLIENT_REFUSED", 0x80, "BROKER_REFUSED"], // unspecified
  ["CLIENT_REFUSED", 0x87, "BROKER_REFUSED"], // not authorised
  ["CLIENT_REFUSED", 0x95, "BROKER_REFUSED"], // packet too large
  ["CLIENT_REFUSED", 0x9a, "BROKER_REFUSED"], // RETAIN is not supported
  ["CLIENT_REFUSED", 0x03, "BROKER_THROTTLED"], // server unavailable, MQTT 3.1.1
  ["CLIENT_REFUSED", 0x89, "BROKER_THROTTLED"], // server busy
  ["CLIENT_REFUSED", 0x96, "BROKER_THROTTLED"], // message rate too high
  ["CLIENT_REFUSED", 0x97, "BROKER_THROTTLED"], // quota exceeded
];

test.for(cases)("%s with reason %s is %s", ([code, reasonCode, expected]) => {
  const cause = new ClientError(code, "so it was", { reasonCode });
  const error = publishErrorOf("b:1883", cause);
  expect(error).toMatchObject({ code: expected, broker: "b:1883", message: "b:1883: so it was", cause });
  expect(error.isRetryable).toBe(expected !== "BROKER_REFUSED");
});

test("an error that is of the port already stays what it is", () => {
  const error = new PublishError("BROKER_REFUSED", "b:1883", "no");
  expect(publishErrorOf("b:1883", error)).toBe(error);
});

test("a connection that nobody answers is not there", () => {
  const silence = new ClientError("CLIENT_TIMEOUT", "connack timeout");
  expect(openingErrorOf("b:1883", silence)).toMatchObject({ code: "BROKER_UNREACHABLE", cause: silence });
  const refusal = new ClientError("CLIENT_REFUSED", "no", { reasonCode: 0x87 });
  expect(openingErrorOf("b:1883", refusal)).toMatchObject({ code: "BROKER_REFUSED", cause: refusal });
});

test.for([
  ["CLIENT_TIMEOUT", true],
  ["CLIENT_DISCONNECTED", true],
  ["CLIENT_REFUSED", false],
  ["CLIENT_INVALID", false],
] as const)("after %s the connection is given up: %s", ([code, expected]) => {
  expect(isLoss(new ClientError(code, ""))).toBe(expected);
});

test.for([
  ["a wrong password, MQTT 3.1.1", "CLIENT_REFUSED", { reasonCode: 0x04 }, true],
  ["not authorised, MQTT 3.1.1", "CLIENT_REFUSED", { reasonCode: 0x05 }, true],
  ["a wrong password", "CLIENT_REFUSED", { reasonCode: 0x86 }, true],
  ["not authorised", "CLIENT_REFUSED", { reasonCode: 0x87 }, true],
  ["another authority", "CLIENT_UNREACHABLE", { cause: coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE") }, true],
  ["a busy server", "CLIENT_REFUSED", { reasonCode: 0x89 }, false],
  ["nobody there", "CLIENT_UNREACHABLE", { cause: coded("ECONNREFUSED") }, false],
  ["no reason", "CLIENT_UNREACHABLE", {}, false],
] as const)("other secrets may help with %s", ([, code, options, expected]) => {
  expect(isForWantOfSecrets(new ClientError(code, "", options))).toBe(expected);
});

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}
