import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkConf } from "./check-conf.ts";
import { readLines, textOf } from "./conf-line.ts";
import { loadConf } from "./load-conf.ts";
import { changedConf, checkText, temporaryFolder } from "./testing.ts";

test.for([
  ["a comment", "# persistence true", []],
  ["no comment, behind a space", " # persistence", [["#", "persistence"]]],
  ["an empty line, and one of spaces", "\n   \n\r\n", []],
  ["spaces around", "  persistence_location   /my data  ", [["persistence_location", "/my data"]]],
  ["a carriage return", "persistence true\r\n", [["persistence", "true"]]],
  ["a # in a value", "topic # out 1", [["topic", "# out 1"]]],
  ["a tab, which does not end a name", "persistence\ttrue", [["persistence\ttrue", ""]]],
] as const)("reads %s as Mosquitto does", ([, text, lines]) => {
  expect(readLines(text, "f").map(({ name, value }) => [name, value])).toEqual(lines);
});

test("lines belong to the listener or the connection before them, whatever stands between", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "mosquitto.conf");
  const text = ["listener 1883 ::1", "connection a", "max_connections 5", "address h", "listener 1884", "topic x in 1"];
  await writeFile(file, text.join("\n"));
  const { conf, findings } = await loadConf(file, "2.1");
  expect(findings).toEqual([]);
  expect(conf.listeners.map(({ lines }) => lines.map(textOf))).toEqual([
    ["listener 1883 ::1", "max_connections 5"],
    ["listener 1884"],
  ]);
  expect(conf.connections.map(({ lines }) => lines.map(textOf))).toEqual([
    ["connection a", "address h", "topic x in 1"],
  ]);
});

test("reads the folders that the main file includes, in Mosquitto's order, each file from its own beginning", async () => {
  const folder = await temporaryFolder();
  const more = join(folder, "conf d"); // with a space
  await mkdir(more);
  const files = { "b.conf": "user b", "A.conf": "user a", "a.conf": "address h", "ignored.txt": "nonsense" };
  for (const [name, text] of Object.entries(files)) await writeFile(join(more, name), text);
  const file = join(folder, "mosquitto.conf");
  await writeFile(file, `connection a\ninclude_dir ${more}\naddress here`);
  const loaded = await loadConf(file, "2.1");
  expect(loaded.files).toEqual([file, join(more, "A.conf"), join(more, "a.conf"), join(more, "b.conf")]);
  expect(loaded.conf.broker.lines.map(textOf)).toEqual(["user a", "user b"]);
  expect(loaded.conf.connections[0]?.lines.map(textOf)).toEqual(["connection a", "address here"]);
  // Where a file is included no connection has begun.
  expect(loaded.findings).toMatchObject([{ code: "CONF_INVALID", file: join(more, "a.conf"), line: 1 }]);
});

test("a fault in an included file is told with that file's line", async () => {
  const folder = await temporaryFolder();
  const more = join(folder, "conf.d");
  await mkdir(more);
  await writeFile(join(more, "z.conf"), "# overrides\nset_tcp_nodelay false\ninclude_dir /etc");
  const file = join(folder, "mosquitto.conf");
  await writeFile(file, `${changedConf({})}\ninclude_dir ${more}`);
  const place = { file: join(more, "z.conf") };
  expect((await checkConf(file)).findings).toMatchObject([
    { code: "CONF_INVALID", ...place, line: 2 }, // the same setting twice
    { code: "BROKER_SLOW", ...place, line: 2, text: "set_tcp_nodelay false" },
    { code: "CONF_INVALID", ...place, line: 3 },
  ]);
});

test("what cannot be read is the only finding", async () => {
  const missing = join(await temporaryFolder(), "missing.conf");
  expect((await checkConf(missing)).findings).toMatchObject([{ code: "CONF_UNREADABLE", file: missing, line: 1 }]);
  const { findings } = await checkText(changedConf({ first: ["include_dir /missing"] }));
  expect(findings).toMatchObject([{ code: "CONF_UNREADABLE", line: 1, directive: "include_dir" }]);
});

test("with per_listener_settings each listener answers for itself", async () => {
  const first = ["per_listener_settings true", "listener 1883 127.0.0.1", "allow_anonymous true", "acl_file /missing"];
  const { findings } = await checkText(changedConf({ first }));
  expect(findings).toEqual([]);
  const open = changedConf({ first, without: ["acl_file"], set: ["allow_anonymous true"] });
  expect((await checkText(open)).findings.map(({ directive, line }) => [directive, line])).toEqual([
    ["acl_file", 5],
    ["allow_anonymous", 6],
  ]);
});

test.for([
  ["an unknown directive", "persistance true", "CONF_UNKNOWN", "refused"],
  ["a flag that is none", "queue_qos0_messages yes", "CONF_INVALID", "refused"],
  ["a number that is none", "sys_interval often", "CONF_INVALID", "refused"],
  ["a value that is missing", "pid_file", "CONF_INVALID", "refused"],
  ["a topic of no direction", "topic x sideways 1", "CONF_INVALID", "refused"],
  ["a topic of QoS 3", "topic x out 3", "CONF_INVALID", "refused"],
  ["a path twice", "acl_file /another", "CONF_INVALID", "warning"],
  ["a number twice", "max_packet_size 1000", "CONF_INVALID", "warning"],
] as const)("tells %s", async ([, line, code, severity]) => {
  const { findings } = await checkText(changedConf({ added: [line] }));
  expect(findings).toMatchObject([{ code, severity, text: line }]);
});
