import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Subject } from "../subject.ts";
import { Child } from "../support/child.ts";

const interpreters = ["python3", "/usr/bin/python3"];

/** Python, as many bridges of this kind are written in. */
export const paho: Subject = {
  name: "Paho + requests (Python)",
  isDurable: false,
  prepare: async () => {
    if (findPython() === undefined && process.getuid?.() === 0) {
      spawnSync("apt-get", ["install", "-y", "-qq", "python3-paho-mqtt", "python3-requests"], { stdio: "ignore" });
    }
    return findPython() === undefined ? "needs python3 with paho-mqtt and requests" : undefined;
  },
  start: async ({ brokerUrl, apiUrl }) => {
    const script = fileURLToPath(new URL("../peers/paho-subscriber.py", import.meta.url));
    return Child.spawn(findPython() ?? "python3", [script, brokerUrl, apiUrl], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  },
};

function findPython(): string | undefined {
  return interpreters.find((path) => spawnSync(path, ["-c", "import paho.mqtt.client, requests"]).status === 0);
}
