import { isDeviceId } from "./device-id.ts";
import { MessageError, quote } from "./message-error.ts";
import { deviceIdLevel } from "./topic-template.ts";

/** A request path with placeholders, e.g. `/v2/positions/{deviceId}`. */
export interface PathTemplate {
  readonly source: string;
  /** Text and placeholder names in turn, beginning and ending with text. */
  readonly parts: readonly string[];
}

/** Reads a request path; a string says what is wrong with it. */
export function parsePathTemplate(source: string, known: readonly string[]): PathTemplate | string {
  if (!source.startsWith("/")) return `'${source}' does not begin with /`;
  const parts = source.split(/\{([^{}]*)\}/);
  const unknown = parts.find((part, index) => index % 2 === 1 && !known.includes(part));
  if (unknown !== undefined) {
    return `'${source}' names {${unknown}}, its topic has ${known.map((name) => `{${name}}`).join(", ")}`;
  }
  const text = parts.filter((_, index) => index % 2 === 0).join("");
  if (!pathText.test(text)) return `'${source}' has characters that a path would have to encode, or a ? or #`;
  if (source.split("/").some(isDotSegment)) return `'${source}' has a dot segment`;
  return { source, parts };
}

/**
 * The path of one message: each placeholder's value, percent-encoded, so that it stays in its segment.
 *
 * @throws {MessageError} `TOPIC_NOT_ROUTED` where a level cannot be a path segment: an empty one, text that UTF-8
 * cannot hold, or a dot segment, which percent-encoding does not hide from servers (WHATWG URL, "double-dot segment").
 */
export function renderPath(template: PathTemplate, values: ReadonlyMap<string, string>): string {
  return template.parts
    .map((part, index) => (index % 2 === 0 ? part : encodeLevel(part, values.get(part) ?? "")))
    .join("");
}

/** The device's id among the values of a topic's placeholders. @throws {MessageError} `DEVICE_ID_INVALID` */
export function deviceIdOf(values: ReadonlyMap<string, string>): string {
  const deviceId = values.get(deviceIdLevel) ?? "";
  if (!isDeviceId(deviceId)) {
    throw new MessageError("DEVICE_ID_INVALID", `${quote(deviceId)} is not a device id: 1 to 128 of A–Z a–z 0–9 : _ -`);
  }
  return deviceId;
}

/** `pchar` and `/` of RFC 3986 without the percent sign: a path is written plainly, Trestle encodes. */
const pathText = /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/;

function isDotSegment(segment: string): boolean {
  return segment === "." || segment === "..";
}

function encodeLevel(name: string, value: string): string {
  if (value === "" || isDotSegment(value) || !value.isWellFormed()) {
    throw new MessageError("TOPIC_NOT_ROUTED", `level {${name}} is ${quote(value)}, which is no path segment`);
  }
  return encodeURIComponent(value);
}
