import { MessageError, quote } from "../message-error.ts";

/** A header field as the device wrote it. */
export type HeaderField = readonly [name: string, value: string];

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // RFC 9110 §5.6.2
const unprintable = /[^\t -~]/;

/**
 * Refuses what is no field name (RFC 9110 §5.1), and `__proto__`: a token, but the one that JavaScript objects,
 * ours or the API's, take for something else.
 *
 * @throws MessageError HEADER_NAME_INVALID
 */
export function checkHeaderName(name: string): void {
  if (token.test(name) && name !== "__proto__") return;
  throw new MessageError("HEADER_NAME_INVALID", `header name ${quote(name)} is no HTTP field name (RFC 9110 §5.1)`);
}

/**
 * The value without the white space around it, which is no part of a field's value (RFC 9110 §5.5).
 *
 * Visible ASCII, space and tab: narrower than RFC 9110, whose `obs-text` means a different text to each reader.
 *
 * @throws MessageError HEADER_VALUE_INVALID, which names the character and never the value
 */
export function readHeaderValue(name: string, value: string): string {
  const bad = unprintable.exec(value);
  if (bad === null) return value.trim();
  const codePoint = value.codePointAt(bad.index)?.toString(16).toUpperCase().padStart(4, "0");
  throw new MessageError(
    "HEADER_VALUE_INVALID",
    `value of header ${quote(name)} has U+${codePoint} at ${bad.index}; visible ASCII, space and tab are allowed`,
  );
}
