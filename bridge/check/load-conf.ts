import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MosquittoVersion } from "../options.ts";
import { readBridgeTopic } from "./bridge-topic.ts";
import type { BrokerConf, Section } from "./broker-conf.ts";
import { type ConfLine, readLines } from "./conf-line.ts";
import { directiveOf, type Scope } from "./directives.ts";
import type { Finding } from "./finding.ts";

export interface LoadedConf {
  readonly conf: BrokerConf;
  /** The files in the order of their reading. */
  readonly files: readonly string[];
  /** What could not be read, and what stands where it cannot. */
  readonly findings: readonly Finding[];
}

/** Reads a configuration and the folders that it includes, and sorts its lines. */
export async function loadConf(file: string, version: MosquittoVersion): Promise<LoadedConf> {
  const sorter = new Sorter(file);
  await sorter.addFile(file, true);
  return sorter.finish(version);
}

interface GrowingSection extends Section {
  readonly lines: ConfLine[];
}

/** What the lines of one file belong to; a file that is included begins anew (config__read_file_core). */
interface Place {
  listener?: GrowingSection;
  connection?: GrowingSection;
  plugin?: GrowingSection;
}

class Sorter {
  readonly #broker: GrowingSection;
  readonly #listeners: GrowingSection[] = [];
  readonly #connections: GrowingSection[] = [];
  readonly #plugins: GrowingSection[] = [];
  readonly #files: string[] = [];
  readonly #findings: Finding[] = [];
  #isPerListener = false;

  constructor(file: string) {
    this.#broker = { kind: "broker", head: { file, line: 1, name: "", value: "" }, lines: [] };
  }

  async addFile(file: string, isMain: boolean): Promise<void> {
    this.#files.push(file);
    const text = await readFile(file, "utf8").catch((error: Error) => error);
    if (typeof text !== "string") {
      this.#report({ file, line: 1, name: "", value: "" }, "CONF_UNREADABLE", `cannot be read: ${text.message}`);
      return;
    }
    const place: Place = {};
    for (const line of readLines(text, file)) {
      if (line.name === "include_dir") await this.#include(line, isMain);
      else this.#add(line, place);
    }
  }

  finish(version: MosquittoVersion): LoadedConf {
    const connections = this.#connections;
    const topics = connections.flatMap((connection) =>
      connection.lines.flatMap((line) => {
        const topic = line.name === "topic" ? readBridgeTopic(line.value) : undefined;
        return topic === undefined ? [] : [{ line, topic, connection }];
      }),
    );
    const conf = {
      version,
      broker: this.#broker,
      listeners: this.#listeners,
      connections,
      plugins: this.#plugins,
      topics,
    };
    return { conf, files: this.#files, findings: this.#findings };
  }

  async #include(line: ConfLine, isMain: boolean): Promise<void> {
    if (!isMain) {
      this.#report(line, "CONF_INVALID", "only the main file may include others; Mosquitto ends over it");
      return;
    }
    const names = await readdir(line.value).catch((error: Error) => error);
    if (!Array.isArray(names)) {
      this.#report(line, "CONF_UNREADABLE", `the folder cannot be read: ${names.message}`);
      return;
    }
    for (const name of names.filter((each) => each.endsWith(".conf")).sort(inLoadOrder)) {
      await this.addFile(join(line.value, name), false);
    }
  }

  #add(line: ConfLine, place: Place): void {
    const scope = directiveOf(line.name)?.scope ?? "broker";
    if (line.name === "per_listener_settings") this.#isPerListener ||= /^(true|1)$/.test(line.value);
    const section = scope === "head" ? this.#begin(line, place) : this.#sectionOf(scope, place);
    if (section === undefined) {
      const what = scope === "plugin" ? "plugin" : "connection";
      this.#report(
        line,
        "CONF_INVALID",
        `it belongs to a ${what}, and none has begun before it; Mosquitto ends over it`,
      );
      return;
    }
    section.lines.push(line);
  }

  #begin(head: ConfLine, place: Place): GrowingSection {
    switch (head.name) {
      case "connection":
        place.connection = begin("connection", head, this.#connections);
        return place.connection;
      case "listener":
        place.listener = begin("listener", head, this.#listeners);
        return place.listener;
      case "port":
      case "bind_address":
        // Both say something of the one listener that has no line of its own.
        place.listener =
          this.#listeners.find((each) => each.head.name !== "listener") ?? begin("listener", head, this.#listeners);
        return place.listener;
      default:
        place.plugin = begin("plugin", head, this.#plugins);
        return place.plugin;
    }
  }

  #sectionOf(scope: Exclude<Scope, "head">, place: Place): GrowingSection | undefined {
    switch (scope) {
      case "broker":
        return this.#broker;
      case "security":
        return this.#isPerListener ? (place.listener ?? this.#broker) : this.#broker;
      case "listener":
        return place.listener ?? this.#broker;
      case "connection":
        return place.connection;
      case "plugin":
        return place.plugin;
      default:
        return scope satisfies never;
    }
  }

  #report({ file, line, name, value }: ConfLine, code: Finding["code"], reason: string): void {
    const text = name === "" ? {} : { text: `${name} ${value}` };
    const source = "mosquitto.conf(5)";
    this.#findings.push({ code, severity: "refused", file, line, directive: name || "file", ...text, reason, source });
  }
}

function begin(kind: Section["kind"], head: ConfLine, sections: GrowingSection[]): GrowingSection {
  const section: GrowingSection = { kind, head, lines: [] };
  sections.push(section);
  return section;
}

/** Case-sensitive, an upper-case letter before the same one in lower case: A, a, B, b. */
function inLoadOrder(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a !== b) return a < b ? -1 : 1;
  return one < other ? -1 : 1;
}
