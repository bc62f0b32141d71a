import { quote } from "../../scheme/message-error.ts";
import type { OutgoingMessage } from "./message-broker.ts";
import { ServiceError } from "./service-endpoint.ts";

/** IoT Core's, of a message's payload and of its user properties. */
const maxPayloadBytes = 128 * 1024;
const maxUserPropertyBytes = 8 * 1024;

/** MQTT 5 properties as IoT Core's Publish and the republish action take them. */
export interface PublicationHeaders {
  readonly payloadFormatIndicator?: string | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  /** Base64. */
  readonly correlationData?: string | undefined;
  /** Seconds. */
  readonly messageExpiry?: string | undefined;
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

/**
 * A message to be published as IoT Core does it.
 *
 * @throws {ServiceError} with AWS's type, for what IoT Core refuses.
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html
 */
export function makePublication(
  message: Pick<OutgoingMessage, "topic" | "payload" | "qos" | "isRetained">,
  headers: PublicationHeaders,
): OutgoingMessage {
  const { length } = message.payload;
  if (length > maxPayloadBytes) {
    const text = `the payload has ${length} bytes, the limit is ${maxPayloadBytes}`;
    throw new ServiceError("RequestEntityTooLargeException", text, 413);
  }
  const { payloadFormatIndicator: indicator, contentType, responseTopic, correlationData, messageExpiry } = headers;
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) throw invalid("responseTopic holds a wildcard");
  for (const [name, text] of Object.entries({ contentType, responseTopic })) checkText(name, text ?? "");
  return {
    ...message,
    properties: {
      mqtt: {
        payloadFormatIndicator:
          indicator === undefined
            ? undefined
            : readOneOf("payloadFormatIndicator", indicator, ["UTF8_DATA", "UNSPECIFIED_BYTES"]),
        contentType,
        responseTopic,
        correlationData: readCorrelationData(correlationData),
      },
      user: readUserProperties(headers.userProperties),
      messageExpirySeconds: readExpiry(messageExpiry),
    },
  };
}

/**
 * Whether a broker may end the connection that text comes by (MQTT 5 §1.5.4), as Mosquitto does: it holds a control
 * character, a surrogate or a code point that is no character.
 */
export function breaksConnection(text: string): boolean {
  return /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}

export function readOneOf<const Value extends string>(name: string, value: string, values: readonly Value[]): Value {
  const known = values.find((each) => each === value);
  if (known !== undefined) return known;
  throw invalid(`${name} is ${quote(value)}, not ${values.join(" or ")}`);
}

export function invalid(message: string): ServiceError {
  return new ServiceError("InvalidRequestException", message);
}

function checkText(name: string, text: string): void {
  if (breaksConnection(text)) throw invalid(`${name} holds characters that MQTT does not take`);
}

/** What four bytes hold (MQTT 5 §3.3.2.3.3). */
function readExpiry(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= 0xffff_ffff) return seconds;
  throw invalid(`messageExpiry is ${quote(text)}, not a number of seconds`);
}

function readCorrelationData(text: string | undefined): string | undefined {
  if (text === undefined || Buffer.from(text, "base64").toString("base64") === text) return text;
  throw invalid("correlationData is no base64");
}

function readUserProperties(properties: PublicationHeaders["userProperties"]): PublicationHeaders["userProperties"] {
  const bytes = properties.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  if (bytes > maxUserPropertyBytes) {
    throw invalid(`userProperties have ${bytes} bytes, the limit is ${maxUserPropertyBytes}`);
  }
  for (const text of properties.flat()) checkText("userProperties", text);
  return properties;
}
