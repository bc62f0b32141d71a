import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localSecrets } from "./secret-source.ts";
import { temporaryFolder } from "./testing.ts";

test.for([
  ["acme/api-key", "from the environment"], // before the file
  ["acme/broker", "from the file"],
  ["acme/none", undefined],
  ["constructor", undefined], // not what every object has
] as const)("the secret %s is %s", ([name, value]) => {
  const file = join(temporaryFolder(), "secrets.json");
  writeFileSync(file, JSON.stringify({ "acme/api-key": "from the file", "acme/broker": "from the file" }));
  const environment = { TRESTLE_SECRET_ACME_API_KEY: "from the environment" };
  expect(localSecrets(file, environment)(name)).toBe(value);
});

test("a missing file holds no secrets", () => {
  expect(localSecrets(join(temporaryFolder(), "secrets.json"), {})("a")).toBeUndefined();
});

test("a file that is no JSON is named", () => {
  const file = join(temporaryFolder(), "secrets.json");
  writeFileSync(file, "{,}");
  expect(() => localSecrets(file, {})("a")).toThrow(`${file} is not a JSON object of secrets`);
});
