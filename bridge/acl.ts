import { ingestSources } from "../scheme/ingest.ts";
import type { Scheme } from "../scheme/scheme.ts";
import { deviceIdLevel, fillTemplate, type TopicTemplate } from "../scheme/topic-template.ts";
import { comment } from "./directive.ts";
import type { BrokerSettings } from "./options.ts";

/**
 * The ACL file: what a device may publish and read, derived from the scheme, and nothing beyond. The device's level is
 * Mosquitto's `%u`, the user name; so a message's topic says truly which device sent it.
 */
export function aclFile(scheme: Scheme, { services }: BrokerSettings): string {
  const blocks = [comment(preamble), deviceRules(scheme)];
  for (const name of [services.engine, services.relay]) if (name !== undefined) blocks.push(takerRules(scheme, name));
  if (services.publisher !== undefined) blocks.push(publisherRules(scheme, services.publisher));
  return `${blocks.join("\n\n")}\n`;
}

const preamble = `Generated from the topic scheme. Whatever no line allows is denied.
%u is the client's user name. Patterns hold for every client; a user's own lines come after them.
A name with + or # matches nothing. A name with / would fill several levels (Mosquitto 2.0): this file cannot prevent \
it, the password file or the issuer of certificates does, by giving out device ids, which hold none.
Mosquitto checks reading when it delivers: a subscription to anything is granted, and stays silent.`;

function deviceRules(scheme: Scheme): string {
  const lines = [...scheme.routes.values()].map(({ topic }) => `pattern write ${ownTopic(topic)}`);
  if (scheme.commands !== undefined) {
    lines.push(`pattern read ${ownTopic(scheme.commands.topic)}`);
    lines.push(`pattern write ${ownTopic(scheme.commands.replies)}`);
  }
  for (const topic of scheme.feeds.values()) lines.push(`pattern read ${topic.filter}`);
  return [comment("A device: its own routes, commands and replies, and every feed."), ...lines].join("\n");
}

function takerRules(scheme: Scheme, name: string): string {
  const lines = [...ingestSources(scheme).values()].map(({ topic }) => `topic read ${topic.filter}`);
  return [comment("Takes what devices send."), `user ${name}`, ...lines].join("\n");
}

function publisherRules(scheme: Scheme, name: string): string {
  const lines = [...scheme.feeds.values()].map(({ filter }) => `topic write ${filter}`);
  if (scheme.commands !== undefined) {
    // Reads which command is retained, and the replies that its callers wait for.
    lines.unshift(`topic readwrite ${scheme.commands.topic.filter}`, `topic read ${scheme.commands.replies.filter}`);
  }
  return [comment("Publishes commands and feeds, and hears the replies."), `user ${name}`, ...lines].join("\n");
}

function ownTopic(topic: TopicTemplate): string {
  return fillTemplate(topic, (placeholder) => (placeholder === deviceIdLevel ? "%u" : "+"));
}
