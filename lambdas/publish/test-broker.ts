import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startMosquitto, type TestBroker } from "../../test/support/mosquitto.ts";

/** A Mosquitto that lets everybody in; the lines come first, before its listener. */
export function startOpenBroker(lines: readonly string[] = []): Promise<TestBroker> {
  return startMosquitto(({ folder, port, user }) => {
    const config = [
      ...lines,
      `user ${user}`,
      `pid_file ${join(folder, "pid")}`,
      "allow_anonymous true",
      "set_tcp_nodelay true",
      "log_dest stderr",
      "log_type all",
      `listener ${port} 127.0.0.1`,
    ];
    return new Map([["mosquitto.conf", config.join("\n")]]);
  });
}

/** Stops a broker in the middle of what it does, until the returned function is called. */
export async function freeze({ folder }: TestBroker): Promise<() => void> {
  const pid = Number(await readFile(join(folder, "pid"), "utf8"));
  process.kill(pid, "SIGSTOP");
  return () => process.kill(pid, "SIGCONT");
}
