import { expect, test } from "vitest";
import { PushError } from "./push-error.ts";
import { findOperation } from "./router.ts";

const found = (method: string, path: string) => {
  try {
    const { operation, parameters } = findOperation({ method, path });
    return [operation, ...parameters.values()];
  } catch (error) {
    if (error instanceof PushError) return [error.code, ...Object.values(error.headers)];
    throw error;
  }
};

// Paths as the gateway hands them over, decoded.
test.for([
  ["POST", "/devices/d1/commands", ["sendCommand", "d1"]],
  ["GET", "/devices/d1/commands", ["listCommands", "d1"]],
  ["DELETE", "/devices/d1/commands", ["clearCommands", "d1"]],
  ["GET", "/devices/d:1", ["getDevice", "d:1"]],
  ["POST", "/commands", ["sendCommands"]],
  ["GET", "/commands/0190", ["getCommand", "0190"]],
  ["POST", "/publish", ["publish"]],
  ["GET", "/openapi.json", ["getOpenApi"]],
  ["POST", "/devices/../commands", ["sendCommand", ".."]], // resolved by nobody
  ["POST", "/devices/%2Fd1/commands", ["sendCommand", "%2Fd1"]], // and not decoded twice
  ["POST", "/devices/%64/commands", ["sendCommand", "%64"]],
  ["POST", "/devices/a/b/commands", ["sendCommand", "a/b"]], // was sent as a%2Fb
  ["POST", "/devices//commands", ["sendCommand", ""]],
  ["POST", "/devices/commands", ["METHOD_NOT_ALLOWED", "GET"]], // a device named commands
  ["PUT", "/devices/d1/commands", ["METHOD_NOT_ALLOWED", "POST, GET, DELETE"]],
  ["HEAD", "/openapi.json", ["METHOD_NOT_ALLOWED", "GET"]],
  ["GET", "/commands", ["METHOD_NOT_ALLOWED", "POST"]],
  ["DELETE", "/commands/0190", ["METHOD_NOT_ALLOWED", "GET"]],
  ["GET", "/", ["NOT_FOUND"]],
  ["GET", "", ["NOT_FOUND"]],
  ["POST", "/Publish", ["NOT_FOUND"]],
  ["POST", "/publish/", ["NOT_FOUND"]],
  ["POST", "//publish", ["NOT_FOUND"]],
  ["POST", "/prod/publish", ["NOT_FOUND"]],
  ["GET", "/devices/d1/other", ["NOT_FOUND"]],
  ["GET", "/commands/a/b", ["NOT_FOUND"]],
] as const)("%s %s: %j", ([method, path, expected]) => {
  expect(found(method, path)).toEqual(expected);
});
