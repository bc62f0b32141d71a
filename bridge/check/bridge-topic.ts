/** What a `topic` line of a bridge says. */
export interface BridgeTopic {
  readonly direction: "out" | "in" | "both";
  readonly qos: number;
  /** Whether the line says the QoS; Mosquitto takes 0 where it does not. */
  readonly isQosSaid: boolean;
  /** Topic filter at the local broker, without its `$share/<group>/`. */
  readonly local: string;
  /** Topic filter at the remote broker, without its `$share/<group>/`. */
  readonly remote: string;
  readonly isShared: boolean;
  readonly isRemapped: boolean;
}

/** Reads the value of a `topic` line; undefined where Mosquitto would not. */
export function readBridgeTopic(value: string): BridgeTopic | undefined {
  const match = /^(?:"([^"]+)"|(""|[^"\s]\S*))((?: +\S+)*)$/.exec(value);
  if (match === null) return undefined;
  const [, quoted, plain = "", rest = ""] = match;
  const [direction = "out", qos, ...prefixes] = wordsOf(rest);
  if (!/^(out|in|both)$/i.test(direction) || !/^[012]$/.test(qos ?? "0")) return undefined;
  const [localPrefix = "", remotePrefix = ""] = prefixes.map(unquoted);
  const pattern = unquoted(quoted ?? plain);
  return {
    direction: direction.toLowerCase() as BridgeTopic["direction"],
    qos: Number(qos ?? 0),
    isQosSaid: qos !== undefined,
    local: withoutShare(localPrefix + pattern),
    remote: withoutShare(remotePrefix + pattern),
    isShared: sharePattern.test(localPrefix + pattern),
    isRemapped: localPrefix !== remotePrefix,
  };
}

/** Whether some topic matches both filters (MQTT 5 §4.7: a wildcard at the beginning matches no topic with `$` there). */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one.split("/"), other.split("/")];
  if (isReserved(one) !== isReserved(other)) return false;
  for (let position = 0; position < Math.max(a.length, b.length); position++) {
    const [left, right] = [a[position], b[position]];
    if (left === "#" || right === "#") return true;
    if (left === undefined || right === undefined) return false;
    if (left !== "+" && right !== "+" && left !== right) return false;
  }
  return true;
}

function isReserved(filter: string): boolean {
  return filter.startsWith("$");
}

const sharePattern = /^\$share\/[^/]+\//;

function withoutShare(filter: string): string {
  return filter.replace(sharePattern, "");
}

/** Words up to a comment, which this directive may have at its end. */
function wordsOf(text: string): readonly string[] {
  const words = text.split(" ").filter((word) => word !== "");
  const comment = words.findIndex((word) => word.startsWith("#"));
  return comment === -1 ? words : words.slice(0, comment);
}

function unquoted(word: string): string {
  return word === '""' ? "" : word;
}
