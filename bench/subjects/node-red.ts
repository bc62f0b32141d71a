import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Subject } from "../subject.ts";
import { Child } from "../support/child.ts";

const release = "4.1.8";
const home = resolve(".trestle/bench-peers/node-red");
const program = join(home, "node_modules/node-red/red.js");

/** Node-RED with the three nodes that the job takes. */
export const nodeRed: Subject = {
  name: `Node-RED ${release}`,
  isDurable: false,
  prepare: async () => {
    if (existsSync(program)) return undefined;
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), '{ "private": true }');
    const install = ["install", `node-red@${release}`, "--no-audit", "--no-fund", "--loglevel=error"];
    const npm = process.env.npm_execpath;
    if (npm === undefined) return "is installed by npm: npm run bench";
    const { status } = spawnSync(process.execPath, [npm, ...install], { cwd: home, stdio: "inherit" });
    return status === 0 ? undefined : "cannot be installed by npm here";
  },
  start: async ({ brokerUrl, apiUrl, folder }) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "flows.json"), JSON.stringify(flows(new URL(brokerUrl), apiUrl)));
    writeFileSync(
      join(folder, "settings.cjs"),
      "module.exports = { flowFile: 'flows.json', httpRoot: false, disableEditor: true, logging: { console: { level: 'error' } } };",
    );
    return Child.spawn(process.execPath, [program, "-u", folder, "-s", join(folder, "settings.cjs")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  },
};

function flows(broker: URL, apiUrl: string): readonly object[] {
  const split = `msg.url = ${JSON.stringify(`${apiUrl}/`)} + msg.topic; msg.headers = msg.payload.header;
msg.payload = JSON.stringify(msg.payload.body); return msg;`;
  return [
    { id: "tab", type: "tab", label: "bench" },
    {
      id: "broker",
      type: "mqtt-broker",
      broker: broker.hostname,
      port: broker.port,
      clientid: "node-red",
      protocolVersion: "4",
      keepalive: "60",
      cleansession: true,
      autoConnect: true,
    },
    {
      id: "in",
      type: "mqtt in",
      z: "tab",
      topic: "v1/drivers/+/location",
      qos: "1",
      datatype: "json",
      broker: "broker",
      inputs: 0,
      wires: [["split"]],
    },
    { id: "split", type: "function", z: "tab", func: split, outputs: 1, wires: [["post"]] },
    {
      id: "post",
      type: "http request",
      z: "tab",
      method: "POST",
      ret: "txt",
      paytoqs: "ignore",
      persist: true,
      wires: [[]],
    },
  ];
}
