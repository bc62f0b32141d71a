import { isUtf8 } from "node:buffer";
import { cutEnvelope, type Envelope } from "../envelope/cut.ts";
import type { HeaderField } from "../envelope/header-field.ts";
import { type DeviceMessage, fromProperties } from "../envelope/properties.ts";
import { isJson } from "../is-json.ts";
import { MessageError, quote, type ReasonCode } from "../message-error.ts";
import type { CommandKind, ReplyStatus } from "./command.ts";

/** A command as its device reads it: the envelope's header and body. */
export interface CommandMessage {
  /** 1 to 128 characters of visible ASCII. */
  readonly commandId: string;
  readonly kind: CommandKind;
  /** Of a state: greater is newer. */
  readonly version?: number;
  /** Milliseconds since 1970; ISO 8601 in the header. */
  readonly issuedAt: number;
  /** Of a request: when it is of no use any more. */
  readonly expiresAt?: number;
  /** JSON text, as its author spelled it. */
  readonly body: string;
}

/** A device's answer. */
export interface ReplyMessage {
  readonly commandId: string;
  readonly status: ReplyStatus;
  /** JSON text, as its author spelled it; `null` where there is nothing to say. */
  readonly body: string;
}

/** A command's payload. */
export function encodeCommand({ commandId, kind, version, issuedAt, expiresAt, body }: CommandMessage): Buffer {
  return encode(body, {
    commandId,
    kind,
    version: version?.toString(),
    issuedAt: new Date(issuedAt).toISOString(),
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
  });
}

/** A reply's payload. */
export function encodeReply({ commandId, status, body }: ReplyMessage): Buffer {
  return encode(body, { commandId, status });
}

/** @throws {MessageError} `COMMAND_INVALID`, and those of the envelope. */
export function readCommand(payload: Uint8Array): CommandMessage {
  const envelope = cutEnvelope(payload);
  const fields = new Fields(envelope.header, "COMMAND_INVALID");
  const kind = fields.read("kind", isKind, "state or request");
  const version = fields.find("version");
  const expiresAt = fields.find("expiresAt");
  return {
    commandId: fields.readId(),
    kind,
    ...(version === undefined ? {} : { version: Number(fields.read("version", isCount, "a whole number")) }),
    issuedAt: Date.parse(fields.read("issuedAt", isTime, "a time of ISO 8601")),
    ...(expiresAt === undefined
      ? {}
      : { expiresAt: Date.parse(fields.read("expiresAt", isTime, "a time of ISO 8601")) }),
    body: jsonOfEnvelope(envelope),
  };
}

/**
 * Reads a device's answer, in either form of a message: envelope, or user properties and the body as payload.
 *
 * @throws {MessageError} `REPLY_INVALID`, and those of the envelope.
 */
export function readReply(message: DeviceMessage): ReplyMessage {
  const isPlain = message.userProperties !== undefined && message.userProperties.length > 0;
  const envelope = isPlain ? fromProperties(message) : cutEnvelope(message.payload);
  const fields = new Fields(envelope.header, "REPLY_INVALID");
  const status = fields.read("status", isStatus, "succeeded or failed");
  const body = isPlain ? jsonOfPayload(Buffer.from(message.payload)) : jsonOfEnvelope(envelope);
  return { commandId: fields.readId(), status, body };
}

function encode(body: string, header: Readonly<Record<string, string | undefined>>): Buffer {
  return Buffer.from(`{"header":${JSON.stringify(header)},"body":${body}}`);
}

/** The header of a message that names a command. */
class Fields {
  readonly #header: readonly HeaderField[];
  readonly #code: ReasonCode;

  constructor(header: readonly HeaderField[], code: ReasonCode) {
    this.#header = header;
    this.#code = code;
  }

  /** Names are compared as HTTP does it, since the same header may become fields of a request. */
  find(name: string): string | undefined {
    return this.#header.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
  }

  read<Value extends string>(name: string, is: (value: string) => value is Value, expected: string): Value {
    const value = this.find(name);
    if (value === undefined) throw new MessageError(this.#code, `header '${name}' is missing`);
    if (is(value)) return value;
    throw new MessageError(this.#code, `header '${name}' is ${quote(value)}, not ${expected}`);
  }

  readId(): string {
    return this.read("commandId", isId, "1 to 128 characters of visible ASCII");
  }
}

/** The body of an envelope as JSON text; bytes that it holds in base64 stay that. */
function jsonOfEnvelope({ body, bodyKind }: Envelope): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bodyKind === "json") return bytes.toString();
  return JSON.stringify(bytes.toString(bodyKind === "text" ? "utf8" : "base64"));
}

/** A plain payload as JSON text: JSON as it is, nothing as null, other text as a string, other bytes in base64. */
function jsonOfPayload(payload: Buffer): string {
  const text = payload.toString();
  if (payload.length === 0) return "null";
  if (isJson(text)) return text;
  return JSON.stringify(isUtf8(payload) ? text : payload.toString("base64"));
}

const isKind = (value: string): value is CommandKind => value === "state" || value === "request";
const isStatus = (value: string): value is ReplyStatus => value === "succeeded" || value === "failed";
const isId = (value: string): value is string => /^[!-~]{1,128}$/.test(value);
const isCount = (value: string): value is string => /^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value));
const isTime = (value: string): value is string => /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
