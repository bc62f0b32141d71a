import { Buffer } from "node:buffer";
import { MessageError } from "../message-error.ts";
import { checkUtf8, type Envelope } from "./cut.ts";
import { type HeaderField, readHeaderValue } from "./header-field.ts";
import { maxHeaderFields } from "./header-filter.ts";

/** A device's message as it arrived. The properties are those of MQTT 5 §3.3.2.3, absent from MQTT 3.1.1. */
export interface DeviceMessage {
  readonly payload: Uint8Array;
  readonly userProperties?: readonly HeaderField[] | undefined;
  readonly contentType?: string | undefined;
  /** In AWS IoT's words. */
  readonly payloadFormatIndicator?: "UTF8_DATA" | "UNSPECIFIED_BYTES" | undefined;
  /** Base64, as AWS IoT hands it over. */
  readonly correlationData?: string | undefined;
}

/** Keys and values of all user properties of a packet: AWS IoT Core's quota. */
export const maxUserPropertyBytes = 8 * 1024;

/** AWS IoT Core's quota. */
export const maxCorrelationDataBytes = 8 * 1024;

/**
 * Refuses properties that cannot be what they say, whichever form the message has.
 *
 * @throws MessageError PROPERTIES_TOO_LARGE, PAYLOAD_NOT_UTF8 or HEADER_VALUE_INVALID
 */
export function checkProperties(message: DeviceMessage): void {
  const { userProperties = [], contentType, correlationData } = message;
  checkLimit("user properties", userProperties.length, maxHeaderFields);
  if (userProperties.length > 0) {
    const bytes = userProperties.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
    checkLimit("bytes of user properties", bytes, maxUserPropertyBytes);
  }
  if (correlationData !== undefined) {
    checkLimit("bytes of correlation data", Buffer.byteLength(correlationData, "base64"), maxCorrelationDataBytes);
  }
  if (contentType !== undefined) readHeaderValue("content-type", contentType);
  if (message.payloadFormatIndicator === "UTF8_DATA") checkUtf8(message.payload);
}

/**
 * The second form of a message: its user properties are the header, its payload is the body as it stands.
 *
 * The content type property becomes the field of that name, unless a user property is that field already.
 */
export function fromProperties(message: DeviceMessage): Envelope {
  const { payload, userProperties = [], contentType = "", payloadFormatIndicator } = message;
  const hasOwnType = contentType === "" || userProperties.some(([name]) => name.toLowerCase() === "content-type");
  return {
    header: hasOwnType ? userProperties : [...userProperties, ["content-type", contentType]],
    body: payload,
    bodyKind: payloadFormatIndicator === "UTF8_DATA" ? "text" : "binary",
  };
}

function checkLimit(what: string, value: number, limit: number): void {
  if (value > limit) throw new MessageError("PROPERTIES_TOO_LARGE", `${value} ${what}, limit ${limit}`);
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
