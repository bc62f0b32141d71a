/**
 * Whether a rule's topic filter selects a topic.
 *
 * `#` needs a level below it: AWS IoT gives `sensor/#` the message on `sensor/temp` but not the one on `sensor`,
 * unlike MQTT 5 §4.7.1.2. A wildcard on the first level does not select topics that begin with `$` (§4.7.2).
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/topics.html
 */
export function matchesFilter(filter: string, topic: string): boolean {
  return topicMatcher(filter)(topic);
}

/** `matchesFilter` of one filter for many topics. */
export function topicMatcher(filter: string): (topic: string) => boolean {
  const patterns = filter.split("/");
  const beginsWithWildcard = patterns[0] === "+" || patterns[0] === "#";
  return (topic) => {
    if (beginsWithWildcard && topic.startsWith("$")) return false;
    const levels = topic.split("/");
    for (const [position, pattern] of patterns.entries()) {
      if (position >= levels.length) return false;
      if (pattern === "#") return true;
      if (pattern !== "+" && pattern !== levels[position]) return false;
    }
    return patterns.length === levels.length;
  };
}

/** Why the text is not a topic filter (MQTT 5 §4.7.1), or undefined when it is one. */
export function filterProblem(filter: string): string | undefined {
  if (filter === "") return "a topic filter is not empty";
  if (filter.includes("\0")) return "a topic filter has no NUL character";
  const levels = filter.split("/");
  if (levels.slice(0, -1).includes("#")) return "# stands only on a topic filter's last level";
  if (levels.some((level) => level.length > 1 && /[+#]/.test(level))) return "+ and # stand alone on their level";
  return undefined;
}
