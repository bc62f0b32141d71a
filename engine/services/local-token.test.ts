import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../testing.ts";
import { LocalToken, tokenFileName } from "./local-token.ts";

test("a token outlives the engine, and only its owner may read it", () => {
  const folder = temporaryFolder();
  const { text } = LocalToken.of(folder);
  const file = join(folder, tokenFileName);
  expect(Buffer.from(text, "base64url")).toHaveLength(32);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  expect(LocalToken.of(folder).text).toBe(text);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(LocalToken.of(temporaryFolder()).text).not.toBe(text);
});

test("an empty file is no token", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, tokenFileName), "");
  expect(LocalToken.of(folder).text).toMatch(/^[\w-]{43}$/);
});

test.for([
  ["Bearer secret", true],
  ["bearer secret", true], // RFC 9110 §11.1: the scheme's case says nothing
  ["Bearer  secret", true],
  ["Bearer secret ", false],
  ["Bearer secre", false],
  ["Bearer secrets", false],
  ["Basic secret", false],
  ["secret", false],
  ["Bearer", false],
  ["Bearer ", false],
  ["", false],
  [undefined, false],
] as const)("the field %s bears the token: %s", ([field, isBorne]) => {
  expect(new LocalToken("secret").isBorneBy(field)).toBe(isBorne);
});
