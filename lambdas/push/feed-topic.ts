import { MessageError, quote } from "../../scheme/message-error.ts";
import type { Scheme } from "../../scheme/scheme.ts";
import { checkTopicName } from "../../scheme/topic-name.ts";
import { matchTemplate } from "../../scheme/topic-template.ts";
import { PushError } from "./push-error.ts";

/**
 * Lets only topics of feeds pass: what devices publish, and what they are told as commands, nobody else publishes.
 *
 * @throws {PushError} `TOPIC_INVALID`, `TOPIC_FORBIDDEN`
 */
export function checkFeedTopic(topic: string, scheme: Pick<Scheme, "routes" | "commands" | "feeds">): void {
  const problem = nameProblem(topic);
  if (problem !== undefined) throw new PushError("TOPIC_INVALID", problem);
  if (topic.startsWith("$")) throw forbid(topic, "begins with $, which brokers keep for themselves");
  const own = [...scheme.routes.values()].map((route) => route.topic);
  if (scheme.commands !== undefined) own.push(scheme.commands.topic, scheme.commands.replies);
  if (own.some((template) => matchTemplate(template, topic) !== undefined)) throw forbid(topic, "is the devices' own");
  if ([...scheme.feeds.values()].every((feed) => matchTemplate(feed, topic) === undefined)) {
    throw forbid(topic, "belongs to no feed of the scheme");
  }
}

/** What is wrong with a topic name (MQTT 5 §4.7), or with one for AWS IoT Core. */
function nameProblem(topic: string): string | undefined {
  if (!topic.isWellFormed()) return `${quote(topic)} has a lone surrogate`;
  if (/[+#]/.test(topic)) return `${quote(topic)} has a wildcard`;
  if (/\p{Cc}/u.test(topic)) return `${quote(topic)} has a control character`;
  if (topic.split("/").includes("")) return `${quote(topic)} has an empty level`;
  try {
    checkTopicName(topic);
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
  return undefined;
}

function forbid(topic: string, reason: string): PushError {
  return new PushError("TOPIC_FORBIDDEN", `${quote(topic)} ${reason}`);
}
