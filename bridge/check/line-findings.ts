import type { MosquittoVersion } from "../options.ts";
import { readBridgeTopic } from "./bridge-topic.ts";
import type { BrokerConf, Section } from "./broker-conf.ts";
import { type ConfLine, textOf } from "./conf-line.ts";
import { directiveOf, type KnownDirective } from "./directives.ts";
import type { Finding } from "./finding.ts";

/** What is wrong with single lines, whatever they are about: unknown names, values that are none, one value twice. */
export function findInLines({ version, broker, listeners, connections, plugins }: BrokerConf): readonly Finding[] {
  return [broker, ...listeners, ...connections, ...plugins].flatMap((section) => [
    ...section.lines.flatMap((line) => findInLine(line, version)),
    ...findRepeated(section),
  ]);
}

function findInLine(line: ConfLine, version: MosquittoVersion): readonly Finding[] {
  const known = directiveOf(line.name);
  if (known === undefined) {
    return [toFinding(line, "CONF_UNKNOWN", "no release of Mosquitto knows it: it ends over such a line")];
  }
  if (known.since === "2.1" && version === "2.0") {
    return [toFinding(line, "CONF_UNKNOWN", "Mosquitto 2.0 does not know it, 2.1 does: 2.0 ends over such a line")];
  }
  const problem = problemOf(line, known);
  return problem === undefined ? [] : [toFinding(line, "CONF_INVALID", problem)];
}

function problemOf({ name, value }: ConfLine, { value: kind }: KnownDirective): string | undefined {
  if (value === "") return "it has no value";
  if (kind === "flag" && !/^(true|false|1|0)( |$)/.test(value)) return "neither true nor false";
  if (kind === "number" && !/^[-+]?(0x[0-9a-f]+|\d+)( |$)/i.test(value)) return "not a whole number";
  if (name === "topic" && readBridgeTopic(value) === undefined) {
    return "not PATTERN [out|in|both] [QoS] [local prefix] [remote prefix]";
  }
  return undefined;
}

function findRepeated({ head, lines }: Section): readonly Finding[] {
  const seen = new Map<string, ConfLine>();
  return lines.flatMap((line) => {
    const known = directiveOf(line.name);
    if (known === undefined || known.isList || line === head) return [];
    const before = seen.get(line.name);
    seen.set(line.name, line);
    if (before === undefined) return [];
    const reason = `it stands on line ${before.line} of ${before.file} already: this one counts, where Mosquitto does not refuse it`;
    return [{ ...toFinding(line, "CONF_INVALID", reason), severity: "warning" }];
  });
}

function toFinding(line: ConfLine, code: Finding["code"], reason: string): Finding {
  const { file, line: number, name } = line;
  const source = "mosquitto.conf(5); src/conf.c";
  return { code, severity: "refused", file, line: number, directive: name, text: textOf(line), reason, source };
}
