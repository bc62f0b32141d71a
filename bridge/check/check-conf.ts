import type { MosquittoVersion } from "../options.ts";
import { listenerRules, securityRules } from "./access-rules.ts";
import { type BrokerConf, securitySections } from "./broker-conf.ts";
import { brokerRules } from "./broker-rules.ts";
import { connectionRules } from "./connection-rules.ts";
import type { Finding } from "./finding.ts";
import { findInLines } from "./line-findings.ts";
import { loadConf } from "./load-conf.ts";
import { findInSection, findInTopic } from "./rule.ts";
import { checkFiles, type UncheckedFile } from "./secret-files.ts";
import { topicRules } from "./topic-rules.ts";

export interface CheckOptions {
  /** The release that is to read the configuration; `2.1` by default. */
  readonly version?: MosquittoVersion;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

export interface CheckResult {
  /** The files that were read. */
  readonly files: readonly string[];
  /** By file and line. */
  readonly findings: readonly Finding[];
  /** What could not be looked at. */
  readonly unchecked: readonly UncheckedFile[];
}

/**
 * Checks a `mosquitto.conf` and what it includes, as that of a broker for devices whose connections lead to AWS IoT Core.
 * Nothing is started, and no line is changed.
 */
export async function checkConf(file: string, options: CheckOptions = {}): Promise<CheckResult> {
  const { version = "2.1", now = Date.now() } = options;
  const { conf, files, findings: loading } = await loadConf(file, version);
  const { findings: inFiles, unchecked } = await checkFiles(conf, now);
  const isRead = !loading.some(({ directive }) => directive === "file");
  const all = [...loading, ...(isRead ? [...findInLines(conf), ...findInRules(conf), ...inFiles] : [])];
  return { files, findings: all.toSorted(byPlace(files)), unchecked };
}

function findInRules(conf: BrokerConf): readonly Finding[] {
  const { broker, listeners, connections, topics } = conf;
  return [
    ...brokerRules.flatMap((rule) => findInSection(rule, broker, conf)),
    ...securitySections(conf).flatMap((section) => securityRules.flatMap((rule) => findInSection(rule, section, conf))),
    ...listeners.flatMap((listener) => listenerRules.flatMap((rule) => findInSection(rule, listener, conf))),
    ...connections.flatMap((bridge) => connectionRules.flatMap((rule) => findInSection(rule, bridge, conf))),
    ...topics.flatMap((topic) => topicRules.flatMap((rule) => findInTopic(rule, topic, conf))),
  ];
}

function byPlace(files: readonly string[]): (one: Finding, other: Finding) => number {
  return (one, other) => files.indexOf(one.file) - files.indexOf(other.file) || one.line - other.line;
}
