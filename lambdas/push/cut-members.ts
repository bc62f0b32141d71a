import { notJson, scanObject, scanValue, skipSpace } from "../../scheme/envelope/json-scan.ts";

/** A member of an object: its name, and its value's JSON text as it was spelled. */
export type RawMember = readonly [name: string, text: string];

const openBrace = 0x7b;

/**
 * The members of the one object that a JSON text is, in their order; undefined where it is another value. Names that
 * come twice are there twice.
 *
 * @param bytes UTF-8.
 * @throws {MessageError} `ENVELOPE_NOT_JSON`, `ENVELOPE_TOO_DEEP`
 */
export function cutMembers(bytes: Buffer): readonly RawMember[] | undefined {
  const start = skipSpace(bytes, 0);
  const object = bytes[start] === openBrace ? scanObject(bytes, start) : undefined;
  const rest = skipSpace(bytes, object?.end ?? scanValue(bytes, start));
  if (rest < bytes.length) throw notJson(bytes, rest, "the end");
  return object?.members.map(({ key, keyEnd, value, valueEnd }) => [
    JSON.parse(bytes.toString("utf8", key, keyEnd)),
    bytes.toString("utf8", value, valueEnd),
  ]);
}
