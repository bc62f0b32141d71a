import type { Report } from "./shape.ts";
import { deviceIdLevel, overlaps, parseTopicTemplate, placeholdersOf, type TopicTemplate } from "./topic-template.ts";

/** Which placeholders a topic has to have: a route's may have others beside the device's, a command's may not. */
export type Placeholders = "the device" | "only the device" | "no device";

/** Reads the topics of a scheme and remembers them, since no two of them may meet. */
export class TopicReader {
  readonly #report: Report;
  readonly #topics: { readonly at: string; readonly topic: TopicTemplate }[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  read(source: string, at: string, placeholders: Placeholders): TopicTemplate {
    const topic = parseTopicTemplate(source);
    if ("code" in topic) {
      this.#report(topic.code, at, topic.message);
      return { source, levels: [], filter: "" };
    }
    this.#checkPlaceholders(topic, at, placeholders);
    this.#topics.push({ at, topic });
    return topic;
  }

  reportOverlaps(): void {
    for (const [index, { at, topic }] of this.#topics.entries()) {
      const other = this.#topics.slice(0, index).find((earlier) => overlaps(earlier.topic, topic));
      if (other === undefined) continue;
      const message = `'${topic.source}' and '${other.topic.source}' of ${other.at} can be the same topic`;
      this.#report("CONFIG_DUPLICATE_ROUTE", at, message);
    }
  }

  #checkPlaceholders(topic: TopicTemplate, at: string, placeholders: Placeholders): void {
    const names = placeholdersOf(topic);
    const hasDevice = names.includes(deviceIdLevel);
    if (placeholders === "no device") {
      if (hasDevice)
        this.#report("TOPIC_INVALID", at, `'${topic.source}' is read by every device, yet names {deviceId}`);
    } else if (!hasDevice) {
      this.#report("TOPIC_INVALID", at, `'${topic.source}' has no level {deviceId}`);
    } else if (placeholders === "only the device" && names.length > 1) {
      this.#report("TOPIC_INVALID", at, `'${topic.source}' has placeholders other than {deviceId}`);
    }
  }
}
