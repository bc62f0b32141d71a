import { expect, test } from "vitest";
import { isDeviceId } from "./device-id.ts";

test.for([
  ["d42", true],
  ["urn:dev:mac-0024befffe804ff1", true],
  ["constructor", true], // legal: look-ups use maps
  ["x".repeat(128), true],
  ["x".repeat(129), false], // longer than a thing name
  ["", false],
  ["..", false], // would climb the request path
  ["a.b", false], // AWS thing names have no dot
  ["a/b", false], // adds a level
  ["+", false],
  ["d#1", false],
  ["$aws", false],
  ["d1 ", false],
  ["%2Fd1", false], // must not be decoded a second time
  ["d\u202e1", false], // right-to-left override
  ["é", false],
  ["d1\n", false],
  ["__proto__", false],
] as const)("device id %j: %s", ([id, accepted]) => {
  expect(isDeviceId(id)).toBe(accepted);
});
