import type { RepublishTopic } from "./actions/republish-topic.ts";
import { EngineError } from "./engine-error.ts";

/** A topic rule as one of those that republish. */
export interface RepublishingRule {
  readonly logicalId: string;
  readonly name: string;
  readonly topicFilter: string | undefined;
  /** Where its actions, and its error action, publish. */
  readonly republishesOn: readonly RepublishTopic[];
}

/**
 * Refuses rules of which one could be triggered by what it has republished, by way of others too: one message would
 * keep them busy for ever. AWS takes such rules and leaves it to their author.
 *
 * What a WHERE excludes is not looked at: it may depend on the payload.
 *
 * @throws {EngineError} `RULE_LOOP`
 */
export function refuseLoops(rules: readonly RepublishingRule[]): void {
  const ingested = new Set(rules.flatMap(({ republishesOn }) => republishesOn.map(({ ruleName }) => ruleName)));
  const triggered = (from: RepublishingRule): readonly RepublishingRule[] => {
    // By Basic Ingest a rule has messages on any topic.
    const source = ingested.has(from.name) ? "#" : (from.topicFilter ?? "#");
    return rules.filter((to) => from.republishesOn.some((topic) => mayTrigger(topic, source, to)));
  };
  const next = new Map(rules.map((rule) => [rule, rule.republishesOn.length === 0 ? [] : triggered(rule)]));
  for (const rule of rules) {
    const way = wayBack(rule, (from) => next.get(from) ?? []);
    if (way === undefined) continue;
    const names = [rule, ...way].map(({ logicalId }) => logicalId).join(" to ");
    throw new EngineError("RULE_LOOP", `${rule.logicalId} may be triggered by what it republishes: ${names}`);
  }
}

function mayTrigger(topic: RepublishTopic, source: string, { name, topicFilter }: RepublishingRule): boolean {
  if (topic.ruleName !== undefined) return topic.ruleName === name;
  return topicFilter !== undefined && overlap(topic.filterFor(source).split("/"), topicFilter.split("/"));
}

/** The rules from one to itself, that one last; undefined where there is no way. */
function wayBack(
  start: RepublishingRule,
  next: (rule: RepublishingRule) => readonly RepublishingRule[],
): readonly RepublishingRule[] | undefined {
  const seen = new Set<RepublishingRule>();
  const search = (from: RepublishingRule): readonly RepublishingRule[] | undefined => {
    for (const rule of next(from)) {
      if (rule === start) return [rule];
      if (seen.has(rule)) continue;
      seen.add(rule);
      const rest = search(rule);
      if (rest !== undefined) return [rule, ...rest];
    }
    return undefined;
  };
  return search(start);
}

/** Whether some topic is selected by both filters, in which `#` is one level or more, wherever it stands. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  const [a, ...afterA] = one;
  const [b, ...afterB] = other;
  if (a === undefined || b === undefined) return a === b;
  if (a !== b && !isWildcard(a) && !isWildcard(b)) return false;
  return overlap(afterA, afterB) || (a === "#" && overlap(one, afterB)) || (b === "#" && overlap(afterA, other));
}

function isWildcard(level: string): boolean {
  return level === "+" || level === "#";
}
