import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../usage-error.ts";
import { relayCommand } from "./relay-command.ts";
import { readRelayOptions } from "./relay-options.ts";

const configFile = fileURLToPath(new URL("../../test/relay.config.ts", import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trestle-relay-command-"));
  onTestFinished(() => rm(folder, { recursive: true }));
});

test("what is left out has its default", async () => {
  expect(await readRelayOptions(["--credentials", folder])).toMatchObject({
    place: { kind: "folder", path: folder },
    acknowledgeWithinMs: 20_000,
    maxConnections: 10,
    local: { url: "mqtt://127.0.0.1:1883", username: "trestle.relay" },
    batching: { delayMs: 235, maxMessages: 100 },
    http: { host: "127.0.0.1", port: 9464 },
  });
});

test("a password is its file's text, without what an editor leaves behind it", async () => {
  await writeFile(join(folder, "password"), "secret\n");
  const args = ["--secret", "edge", "--password-file", join(folder, "password"), "--delay", "2s", "--http", "[::1]:80"];
  expect(await readRelayOptions(args)).toMatchObject({
    place: { kind: "secret", name: "edge" },
    local: { password: "secret" },
    batching: { delayMs: 2_000 },
    http: { host: "::1", port: 80 },
  });
});

describe("a command line that cannot be meant is refused", () => {
  test.for([
    [[], "one of --credentials, --secret and --endpoint is needed"],
    [["--credentials", "a", "--secret", "b"], "one of --credentials"],
    [["--endpoint", "host"], "--endpoint goes with --ca"],
    [["--secret", "b", "--delay", "soon"], "--delay 'soon' is not a time such as 250ms or 2s"],
    [["--secret", "b", "--delay", "61s"], "--delay 61s is more than 60s"],
    [["--secret", "b", "--batch", "101"], "--batch 101 is more than 100"],
    [["--secret", "b", "--batch", "1.5"], "--batch '1.5' is not a whole number"],
    [["--secret", "b", "--connections", "0"], "--connections 0 is too small"],
    [["--secret", "b", "--http", "host:99999"], "--http 'host:99999' is not ADDRESS:PORT"],
    [["--secret", "b", "--password-file", "/nowhere"], "--password-file '/nowhere' cannot be read"],
    [["--secret", "b", "--unknown"], "--unknown"],
  ] as const)("%j", async ([args, message]) => {
    const refused = readRelayOptions(args);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(message);
  });
});

describe("credentials that are not there", () => {
  const run = () => relayCommand(["--credentials", folder, "--config", configFile], () => {});

  test("no file", async () => {
    await expect(run()).rejects.toMatchObject({ code: "RELAY_CREDENTIALS", message: expect.stringContaining(folder) });
  });

  test("a certificate that is not in force yet", async () => {
    const begun = { version: 1, endpoint: "x.iot.eu-central-1.amazonaws.com", clientId: "edge", ca: "PEM" };
    await writeFile(join(folder, "credentials.json"), JSON.stringify(begun));
    await expect(run()).rejects.toMatchObject({
      code: "RELAY_CREDENTIALS",
      message: expect.stringContaining("has no certificate in force; run provision again"),
    });
  });

  test("something else in the file", async () => {
    await writeFile(join(folder, "credentials.json"), "{}");
    await expect(run()).rejects.toMatchObject({ code: "CREDENTIALS_UNREADABLE" });
  });
});
