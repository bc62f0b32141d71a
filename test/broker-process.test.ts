import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { BridgeError } from "../bridge/bridge-error.ts";
import { findMosquitto, type Mosquitto, startBroker } from "../bridge/broker-process.ts";
import { freePort } from "./support/ports.ts";

test("finds the installed Mosquitto and what it calls itself", async () => {
  const { path, release, version } = await installed();
  expect(path).toMatch(/\/mosquitto$/);
  expect(release.startsWith(version === "2.0" ? "2.0." : "2.")).toBe(true);
});

test("a started broker answers at once, and has ended when stop() settles", async () => {
  const { path } = await installed();
  const port = await freePort();
  const lines: string[] = [];
  const broker = await startBroker({ path, configFile: await configFile(port), onLine: (line) => lines.push(line) });
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  await client.endAsync();
  await broker.stop();
  await broker.closed;
  expect(lines.at(-1)).toMatch(/terminating$/);
  await broker.stop(); // nothing left to do
});

test("a broker that cannot listen says why", async () => {
  const { path } = await installed();
  const file = await configFile(await freePort());
  await using _first = await startBroker({ path, configFile: file });
  const failure = await startBroker({ path, configFile: file }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BridgeError);
  expect(failure).toMatchObject({
    code: "MOSQUITTO_FAILED",
    message: expect.stringContaining("Address already in use"),
  });
});

async function installed(): Promise<Mosquitto> {
  const mosquitto = await findMosquitto();
  if (mosquitto === undefined) throw new Error("no mosquitto is installed; npm test installs it");
  return mosquitto;
}

async function configFile(port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-broker-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "mosquitto.conf");
  const lines = [
    `user ${userInfo().username}`,
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "log_dest stderr",
  ];
  await writeFile(file, lines.join("\n"));
  return file;
}
