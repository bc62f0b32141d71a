import { Buffer, isUtf8 } from "node:buffer";
import { MessageError, quote } from "../message-error.ts";
import { checkHeaderName, type HeaderField } from "./header-field.ts";
import { type Member, notJson, scanObject, scanValue, skipSpace } from "./json-scan.ts";

/** What a device's message carries, in either of its forms. */
export interface Envelope {
  readonly header: readonly HeaderField[];
  readonly body: Uint8Array;
  /** `json`: JSON as the device spelled it. `text`: UTF-8. `binary`: bytes that nobody looked at. */
  readonly bodyKind: "json" | "text" | "binary";
}

const quotationMark = 0x22;
const openBrace = 0x7b;

interface Members {
  header?: Member;
  body?: Member;
  bodyEncoding?: Member;
}

/**
 * Cuts `{"header":{…},"body":…}` into header fields and the body's own bytes.
 *
 * The body is never parsed: what comes out is the slice of the payload that went in. Two bodies are strings with a
 * meaning of their own: text, which comes out as UTF-8, and `"bodyEncoding":"base64"`, which comes out decoded.
 * A string with a lone surrogate has no UTF-8 and stays the JSON string that it is, quotes and escapes included.
 *
 * Faults are reported from the outside in: bytes, JSON, the envelope's keys, then the header's fields.
 *
 * @throws MessageError PAYLOAD_NOT_UTF8, ENVELOPE_NOT_JSON, ENVELOPE_TOO_DEEP, ENVELOPE_SHAPE, ENVELOPE_DUPLICATE_KEY
 *   or HEADER_NAME_INVALID
 */
export function cutEnvelope(payload: Uint8Array): Envelope {
  checkUtf8(payload);
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const { header, body, bodyEncoding } = nameMembers(bytes, scanEnvelope(bytes));
  if (header === undefined) throw misshapen("'header' is missing");
  if (body === undefined) throw misshapen("'body' is missing (it may be null)");
  return { header: readHeader(bytes, header), ...cutBody(bytes, body, bodyEncoding) };
}

/** @throws MessageError PAYLOAD_NOT_UTF8 */
export function checkUtf8(payload: Uint8Array): void {
  if (isUtf8(payload)) return;
  const start = Buffer.from(payload.subarray(0, 8)).toString("hex");
  throw new MessageError(
    "PAYLOAD_NOT_UTF8",
    `payload of ${payload.length} bytes is not UTF-8, it begins with 0x${start}`,
  );
}

/** The members of the one object that the payload is. A byte-order mark is no JSON (RFC 8259 §8.1). */
function scanEnvelope(bytes: Uint8Array): readonly Member[] {
  const start = skipSpace(bytes, 0);
  const object = bytes[start] === openBrace ? scanObject(bytes, start) : undefined;
  const rest = skipSpace(bytes, object?.end ?? scanValue(bytes, start));
  if (rest < bytes.length) throw notJson(bytes, rest, "the end");
  if (object === undefined) throw misshapen("the payload is no object");
  return object.members;
}

function nameMembers(bytes: Buffer, members: readonly Member[]): Members {
  const named: Members = {};
  for (const member of members) {
    const name = readString(bytes, member.key, member.keyEnd);
    if (name !== "header" && name !== "body" && name !== "bodyEncoding") {
      throw misshapen(`${quote(name)} is none of 'header', 'body' and 'bodyEncoding'`);
    }
    if (named[name] !== undefined) throw new MessageError("ENVELOPE_DUPLICATE_KEY", `'${name}' comes twice`);
    named[name] = member;
  }
  return named;
}

function readHeader(bytes: Buffer, { value }: Member): HeaderField[] {
  if (bytes[value] !== openBrace) throw misshapen("'header' is no object");
  return scanObject(bytes, value).members.map((member) => {
    const name = readString(bytes, member.key, member.keyEnd);
    if (bytes[member.value] === quotationMark) return [name, readString(bytes, member.value, member.valueEnd)];
    checkHeaderName(name);
    throw misshapen(`header ${quote(name)} is no string`);
  });
}

function cutBody(bytes: Buffer, body: Member, encoding: Member | undefined): Pick<Envelope, "body" | "bodyKind"> {
  const isString = bytes[body.value] === quotationMark;
  if (encoding !== undefined) {
    if (bytes[encoding.value] !== quotationMark || readString(bytes, encoding.value, encoding.valueEnd) !== "base64") {
      throw misshapen(`'bodyEncoding' is not "base64"`);
    }
    if (!isString) throw misshapen(`'body' is no string, as "bodyEncoding":"base64" wants it`);
    return { body: decodeBase64(readString(bytes, body.value, body.valueEnd)), bodyKind: "binary" };
  }
  const literal = bytes.subarray(body.value, body.valueEnd);
  if (!isString) return { body: literal, bodyKind: "json" };
  const content = literal.subarray(1, -1);
  if (!content.includes("\\")) return { body: content, bodyKind: "text" };
  const text: string = JSON.parse(literal.toString());
  return text.isWellFormed() ? { body: Buffer.from(text), bodyKind: "text" } : { body: literal, bodyKind: "json" };
}

/** The text of the JSON string from `start` to `end`, its quotes included. */
function readString(bytes: Buffer, start: number, end: number): string {
  const content = bytes.toString("utf8", start + 1, end - 1);
  return content.includes("\\") ? JSON.parse(`"${content}"`) : content;
}

/** Decodes RFC 4648 §4 with padding and nothing around it: what does not encode back to the same text is refused. */
function decodeBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") === text) return bytes;
  throw misshapen(`'body' of ${text.length} characters is no base64 (RFC 4648 §4, with padding)`);
}

function misshapen(problem: string): MessageError {
  return new MessageError("ENVELOPE_SHAPE", `not {"header":{…},"body":…}: ${problem}`);
}
