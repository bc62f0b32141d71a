import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type CheckOptions, type CheckResult, checkConf } from "./check-conf.ts";

/** A configuration without a fault, for Mosquitto 2.1; the connection is its last section. */
const faultless: readonly string[] = [
  "listener 8883 0.0.0.0",
  "allow_anonymous false",
  "password_file /missing/passwords",
  "acl_file /missing/acl",
  "set_tcp_nodelay true",
  "message_size_limit 131072",
  "max_packet_size 131338",
  "max_queued_messages 1000000",
  "max_inflight_messages 1",
  "persistent_client_expiration 7d",
  "persistence true",
  "persistence_location /var/lib/mosquitto",
  "autosave_interval 1",
  "connection iot-core",
  "address abc.example.com:8883",
  "bridge_protocol_version mqttv50",
  "bridge_session_expiry_interval 3600",
  "try_private false",
  "bridge_cafile /missing/ca.pem",
  "bridge_certfile /missing/bridge.pem",
  "bridge_keyfile /missing/bridge.key",
  "remote_clientid edge-1",
  "cleansession false",
  "notifications false",
  "bridge_attempt_unsubscribe false",
  "bridge_outgoing_retain false",
  "restart_timeout 2 30",
  'topic v1/+/location out 1 "" $aws/rules/acme_location/',
  "topic Push/SDKControls/+ in 1",
];

/** What is wrong with a configuration after a change. @param added Lines at its end, which are the connection's. */
export interface Change {
  /** Each takes the place of the first line of its directive, or where there is none, stands at the end. */
  readonly set?: readonly string[];
  readonly without?: readonly string[];
  readonly added?: readonly string[];
  /** Lines before all others. */
  readonly first?: readonly string[];
}

export function changedConf({ set = [], without = [], added = [], first = [] }: Change): string {
  const lines = faultless.filter((line) => !without.includes(nameOf(line)));
  for (const line of set) {
    const place = lines.findIndex((each) => nameOf(each) === nameOf(line));
    if (place === -1) lines.push(line);
    else lines[place] = line;
  }
  return [...first, ...lines, ...added].join("\n");
}

/** Checks a configuration that lies in a folder of its own as `mosquitto.conf`. */
export async function checkText(text: string, options: CheckOptions = {}): Promise<CheckResult> {
  const folder = await temporaryFolder();
  const file = join(folder, "mosquitto.conf");
  await writeFile(file, text);
  return await checkConf(file, options);
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trestle-check-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

function nameOf(line: string): string {
  return line.split(" ")[0] ?? "";
}
