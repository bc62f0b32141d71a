/** Longest device id in characters: that of a thing name, and in bytes that of a client id. */
export const maxDeviceIdLength = 128;

const deviceIdPattern = /^[A-Za-z0-9:_-]{1,128}$/;

/**
 * Whether a topic level or a path segment identifies a device: 1–128 characters of `A–Z a–z 0–9 : _ -`, and not
 * `__proto__`.
 *
 * These are the characters of an AWS thing name, the narrowest of the places that a device id goes: it is a topic
 * level (no `/ + #`, no leading `$`), a policy variable, a URL path segment (all of them are `pchar` of RFC 3986 §3.3
 * and need no percent-encoding, and no dot means no dot segment), an HTTP header value and a database key.
 * `__proto__` is the one id that JavaScript objects treat specially; refusing it costs no fleet anything.
 *
 * An id with `:` cannot stand in a Mosquitto password file, whose fields `:` separates; it works with client
 * certificates.
 *
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html
 */
export function isDeviceId(text: string): boolean {
  return deviceIdPattern.test(text) && text !== "__proto__";
}
