import { randomUUID } from "node:crypto";
import { filterHeaders } from "../../scheme/envelope/header-filter.ts";
import { DeviceError } from "./device-error.ts";

/** Bytes of a payload that AWS IoT Core takes; it ends the connection of whoever sends more. */
export const maxPayloadBytes = 128 * 1024;

/** A message as a device's author writes it. */
export interface DevicePayload {
  /** HTTP header fields of the request that the message becomes. */
  readonly header?: Readonly<Record<string, string>>;
  /** Anything that `JSON.stringify` takes; a string goes to the API as text, and bytes as they are. */
  readonly body: unknown;
}

/** The envelope, with the fields as they stand. @throws {MessageError | DeviceError} */
export function encodePayload({ header = {}, body }: DevicePayload): Buffer {
  filterHeaders(Object.entries(header), { overridden: new Set() }); // refuses here what would end as a dead letter
  const isBinary = body instanceof Uint8Array;
  const text = jsonOf(isBinary ? Buffer.from(body).toString("base64") : body);
  const encoding = isBinary ? ',"bodyEncoding":"base64"' : "";
  const payload = Buffer.from(`{"header":${JSON.stringify(header)},"body":${text}${encoding}}`);
  checkSize(payload);
  return payload;
}

/**
 * The message with an id of its own, unless it has one: what the device sends twice, since it did not hear the
 * acknowledgement, is then one request to the API.
 */
export function withMessageId(message: DevicePayload): DevicePayload {
  const { header = {} } = message;
  const hasOne = Object.keys(header).some((name) => name.toLowerCase() === "idempotency-key");
  return hasOne ? message : { ...message, header: { ...header, "Idempotency-Key": randomUUID() } };
}

/** JSON text; `null` for what JSON has no word for. @throws {DeviceError} `MESSAGE_INVALID` */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (error) {
    throw new DeviceError("MESSAGE_INVALID", `the body is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws {DeviceError} `MESSAGE_INVALID` */
export function checkSize({ length }: Uint8Array): void {
  if (length <= maxPayloadBytes) return;
  throw new DeviceError("MESSAGE_INVALID", `the payload has ${length} bytes, the limit is ${maxPayloadBytes}`);
}
