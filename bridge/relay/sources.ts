import type { FrameMember } from "../../scheme/frame/frame.ts";
import { type IngestSource, ingestSources } from "../../scheme/ingest.ts";
import type { Qos, Scheme } from "../../scheme/scheme.ts";
import { maxTopicSlashes } from "../../scheme/topic-name.ts";
import { TopicTrie } from "../../scheme/topic-trie.ts";
import { compileStatement } from "../../sql/compile.ts";
import { messageOf } from "./member.ts";

/** A route, or the replies, as the relay takes its messages. */
export interface RelaySource extends IngestSource {
  /** Whether the route's `where` selects a message; its rule is not asked, which a frame does not pass. */
  readonly selects: (member: FrameMember) => boolean;
}

/** What the relay takes, by topic. */
export class Sources {
  /** What the broker is asked for. */
  readonly subscriptions: readonly { readonly filter: string; readonly qos: Qos }[];
  readonly #byTopic = new TopicTrie<RelaySource>();

  /** @throws {SqlError} for a `where` that AWS IoT would refuse. */
  constructor(scheme: Pick<Scheme, "routes" | "commands">) {
    const sources = [...ingestSources(scheme).values()].map((source) => ({ ...source, selects: compileWhere(source) }));
    for (const source of sources) {
      this.#byTopic.add(source.topic.filter, source);
      // A `#` selects the level before it as well for a broker (MQTT 5 §4.7.1.2), and does not here, as in IoT Core.
      this.#byTopic.add(belowFilter(source.topic.filter, maxLevels), source);
    }
    this.subscriptions = sources.flatMap(({ topic: { filter }, qos }) => [
      { filter, qos },
      { filter: belowFilter(filter, maxLevels + 1), qos },
    ]);
  }

  find(topic: string): RelaySource | undefined {
    return this.#byTopic.match(topic)[0];
  }
}

const maxLevels = maxTopicSlashes + 1;

/**
 * What is published below a route's topics, so many levels deep and deeper: a bridge whose filter ends with `#` stops at the
 * first message that has more levels than AWS IoT Core takes. Here each of them becomes a dead letter. The generated ACL lets no
 * device publish there.
 */
function belowFilter(filter: string, levels: number): string {
  return `${filter}${"/+".repeat(levels - filter.split("/").length)}/#`;
}

function compileWhere({ where, topic, ruleName }: IngestSource): RelaySource["selects"] {
  if (where === undefined) return () => true;
  const sql = `SELECT 1 AS one FROM '${topic.filter}' WHERE ${where}`;
  const statement = compileStatement(sql, { version: "2016-03-23", rule: ruleName });
  return (member) => statement.evaluate(messageOf(member)).kind !== "noMatch";
}
