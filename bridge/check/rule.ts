import type { BrokerConf, Section, TopicOf } from "./broker-conf.ts";
import { lineOf } from "./broker-conf.ts";
import { textOf } from "./conf-line.ts";
import type { CheckCode, Finding, Severity } from "./finding.ts";

/** One entry of the linter's tables: what it looks at, when that is wrong, and why. */
export interface Rule<Subject> {
  readonly code: CheckCode;
  readonly severity: Severity;
  /** The directive to change, or to add. */
  readonly directive: string;
  /** Whether it is wrong; a text says with what. */
  readonly isWrong: (subject: Subject, conf: BrokerConf) => boolean | string;
  readonly reason: string;
  /** A page, a part of Mosquitto's source, or a measurement. */
  readonly source: string;
}

/** The finding of a rule about a section, where there is one. */
export function findInSection(rule: Rule<Section>, section: Section, conf: BrokerConf): readonly Finding[] {
  const wrong = rule.isWrong(section, conf);
  if (wrong === false) return [];
  const { file, line } = lineOf(section, rule.directive) ?? section.head;
  const found = lineOf(section, rule.directive);
  return [toFinding(rule, wrong, { file, line, ...(found && { text: textOf(found) }) })];
}

/** The finding of a rule about a `topic` line, where there is one. */
export function findInTopic(rule: Rule<TopicOf>, subject: TopicOf, conf: BrokerConf): readonly Finding[] {
  const wrong = rule.isWrong(subject, conf);
  if (wrong === false) return [];
  const found = rule.directive === "topic" ? subject.line : lineOf(subject.connection, rule.directive);
  const { file, line } = found ?? subject.line;
  return [toFinding(rule, wrong, { file, line, ...(found && { text: textOf(found) }) })];
}

function toFinding(
  { code, severity, directive, reason, source }: Rule<never>,
  wrong: true | string,
  place: Pick<Finding, "file" | "line" | "text">,
): Finding {
  return { code, severity, directive, ...place, reason: wrong === true ? reason : `${wrong}: ${reason}`, source };
}
