import { maxDeviceIdLength } from "./device-id.ts";
import type { SchemeProblemCode } from "./scheme-error.ts";
import { maxTopicBytes, maxTopicSlashes } from "./topic-name.ts";

/** The placeholder of the one level that identifies the device. */
export const deviceIdLevel = "deviceId";

export type TopicLevel =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "placeholder"; readonly name: string };

/** A topic with placeholders for whole levels, e.g. `v1/drivers/{deviceId}/location`. */
export interface TopicTemplate {
  readonly source: string;
  readonly levels: readonly TopicLevel[];
  /** The topic filter that selects its topic names: `+` for each placeholder. */
  readonly filter: string;
}

/** Why a template is refused. */
export interface TopicFault {
  readonly code: SchemeProblemCode;
  readonly message: string;
}

/** Reads a topic with placeholders, or says what is wrong with it. */
export function parseTopicTemplate(source: string): TopicTemplate | TopicFault {
  const levels: TopicLevel[] = [];
  for (const [index, text] of source.split("/").entries()) {
    const level = parseLevel(text);
    if (typeof level === "string") {
      return { code: "TOPIC_INVALID", message: `level ${index + 1} of '${source}', '${text}', ${level}` };
    }
    levels.push(level);
  }
  return findFault(source, levels) ?? { source, levels, filter: levels.map(filterLevel).join("/") };
}

/** Whether some topic name belongs to both templates. */
export function overlaps(a: TopicTemplate, b: TopicTemplate): boolean {
  return (
    a.levels.length === b.levels.length &&
    a.levels.every((level, index) => {
      const other = b.levels[index];
      return level.kind !== "literal" || other?.kind !== "literal" || level.text === other.text;
    })
  );
}

/** The values of the placeholders where the topic name belongs to the template, undefined where it does not. */
export function matchTemplate(template: TopicTemplate, topic: string): ReadonlyMap<string, string> | undefined {
  const texts = topic.split("/");
  if (texts.length !== template.levels.length) return undefined;
  const values = new Map<string, string>();
  for (const [index, text] of texts.entries()) {
    const level = template.levels[index];
    if (level?.kind === "placeholder") values.set(level.name, text);
    else if (level?.text !== text) return undefined;
  }
  return values;
}

/** The topic name or pattern with each placeholder replaced, e.g. `{deviceId}` by Mosquitto's `%u`. */
export function fillTemplate(template: TopicTemplate, value: (placeholder: string) => string): string {
  return template.levels.map((level) => (level.kind === "literal" ? level.text : value(level.name))).join("/");
}

export function placeholdersOf(template: TopicTemplate): readonly string[] {
  return namesOf(template.levels);
}

/**
 * Unreserved characters of RFC 3986 and `: @`: they stand in a path, in SQL quotes, and in Mosquitto's configuration
 * and ACL (where a space separates and `%` begins a pattern) as they are.
 */
const literalPattern = /^[A-Za-z0-9._~:@-]+$/;
const placeholderPattern = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/;

/** The level, or what is wrong with it. */
function parseLevel(text: string): TopicLevel | string {
  if (text === "") return "is empty";
  if (/[+#]/.test(text)) return "holds a wildcard; a placeholder such as {deviceId} stands for a level";
  if (text.startsWith("$")) return "begins with $, which AWS IoT Core and brokers reserve";
  if (text === "." || text === "..") return "is a dot segment, which a request path cannot have";
  const name = placeholderPattern.exec(text)?.[1];
  if (name !== undefined) return { kind: "placeholder", name };
  if (/[{}]/.test(text)) return "is not a placeholder; that is a whole level, a letter, then letters, digits and _";
  if (!literalPattern.test(text)) return "has characters other than A–Z a–z 0–9 . _ ~ : @ -";
  return { kind: "literal", text };
}

function findFault(source: string, levels: readonly TopicLevel[]): TopicFault | undefined {
  const slashes = levels.length - 1;
  if (slashes > maxTopicSlashes) {
    return { code: "TOPIC_TOO_DEEP", message: `'${source}' has ${slashes} slashes, the limit is ${maxTopicSlashes}` };
  }
  const names = namesOf(levels);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return { code: "TOPIC_INVALID", message: `'${source}' has {${repeated}} twice` };
  const bytes = slashes + levels.reduce((sum, level) => sum + reservedBytes(level), 0);
  if (bytes > maxTopicBytes) {
    const message = `'${source}' comes to ${bytes} bytes with the longest device id, the limit is ${maxTopicBytes}`;
    return { code: "TOPIC_TOO_LONG", message };
  }
  return undefined;
}

/** Bytes that a level needs at the least, a device id counted in full: every device of the fleet has to fit. */
function reservedBytes(level: TopicLevel): number {
  if (level.kind === "literal") return level.text.length;
  return level.name === deviceIdLevel ? maxDeviceIdLength : 1;
}

function namesOf(levels: readonly TopicLevel[]): readonly string[] {
  return levels.flatMap((level) => (level.kind === "placeholder" ? [level.name] : []));
}

function filterLevel(level: TopicLevel): string {
  return level.kind === "literal" ? level.text : "+";
}
