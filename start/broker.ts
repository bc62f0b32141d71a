import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import { brokerFiles, configFileName, writeBrokerFiles } from "../bridge/broker-files.ts";
import { findMosquitto, type Mosquitto, startBroker } from "../bridge/broker-process.ts";
import type { Scheme } from "../scheme/scheme.ts";

/** User name of the engine at the broker; the dot tells it from every device. */
export const engineUser = "trestle.engine";

/** User name of those who publish commands and feeds there. */
export const pushUser = "trestle.push";

/** A broker that was started here, on loopback and without passwords: user names are believed. */
export interface LocalBroker extends AsyncDisposable {
  readonly url: string;
  /** What it is, and what it lacks. */
  readonly description: string;
}

/** Starts Mosquitto with the generated configuration where it is installed, else the embedded broker. */
export async function startLocalBroker(
  scheme: Scheme,
  port: number,
  folder: string,
  onLine: (line: string) => void,
): Promise<LocalBroker> {
  const mosquitto = await findMosquitto();
  return mosquitto === undefined ? startEmbedded(port) : startMosquitto(mosquitto, scheme, port, folder, onLine);
}

async function startMosquitto(
  mosquitto: Mosquitto,
  scheme: Scheme,
  port: number,
  folder: string,
  onLine: (line: string) => void,
): Promise<LocalBroker> {
  const location = join(folder, "state");
  await mkdir(location, { recursive: true });
  const files = brokerFiles(scheme, {
    folder,
    // Mosquitto 2.1 reads these directives too; where its persistence plugin lies, every package decides by itself.
    version: "2.0",
    listener: { port },
    persistence: { location },
    services: { engine: engineUser, publisher: pushUser },
    // Mosquitto would become `mosquitto` where root starts it, which may not write here.
    user: userInfo().username,
  });
  await writeBrokerFiles(folder, files);
  const configFile = join(folder, configFileName);
  const broker = await startBroker({ path: mosquitto.path, configFile, isDetached: true, onLine });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    description: `Mosquitto ${mosquitto.release}, ${configFile}`,
    [Symbol.asyncDispose]: () => broker.stop(),
  };
}

async function startEmbedded(port: number): Promise<LocalBroker> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    description: "embedded Aedes: no MQTT 5, no ACL, nothing on disk; install Mosquitto for those",
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await close(server);
    },
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
