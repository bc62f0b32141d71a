import { isUtf8 } from "node:buffer";

/**
 * A device's text as it may stand on a terminal: control characters, which a terminal would obey, and characters that
 * turn the direction of writing are escaped.
 *
 * @param except Characters that stay as they are.
 */
export function printable(text: string, except = ""): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    if (except.includes(character)) return character;
    const codePoint = character.codePointAt(0) ?? 0;
    return codePoint > 0xffff ? `\\u{${codePoint.toString(16)}}` : `\\u${codePoint.toString(16).padStart(4, "0")}`;
  });
}

/** A body as text where it is text, else in base64. */
export function printableBody(body: Uint8Array): string {
  if (body.length === 0) return "(empty)";
  const bytes = Buffer.from(body);
  return isUtf8(bytes) && !bytes.includes(0)
    ? printable(bytes.toString(), "\n\t")
    : `base64: ${bytes.toString("base64")}`;
}

/** A time as it is printed everywhere: ISO 8601, UTC. */
export function printableTime(at: number): string {
  return new Date(at).toISOString();
}
