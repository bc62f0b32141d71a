import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findMosquitto, startBroker } from "../../bridge/broker-process.ts";
import { loadScheme } from "../../scheme/load-scheme.ts";
import { startLocalBroker } from "../../start/broker.ts";

/** A broker that keeps nothing on disk, the same for all. */
const plainConfiguration = (port: number) => `listener ${port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 1000000
log_dest stderr
log_type information
`;

/** Starts Mosquitto as a measurement wants it. */
export async function startBenchBroker(port: number, folder: string, isGenerated: boolean): Promise<AsyncDisposable> {
  mkdirSync(folder, { recursive: true });
  if (isGenerated) {
    const scheme = await loadScheme("bench/bench.config.ts");
    return startLocalBroker(scheme, port, folder, () => {});
  }
  const mosquitto = await findMosquitto();
  if (mosquitto === undefined) throw new Error("the benchmark needs Mosquitto: npm test installs it");
  const configFile = join(folder, "mosquitto.conf");
  writeFileSync(configFile, plainConfiguration(port));
  return startBroker({ path: mosquitto.path, configFile, isDetached: true });
}
