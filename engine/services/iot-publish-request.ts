import type { OutgoingMessage } from "./message-broker.ts";
import { ServiceError, type ServiceRequest } from "./service-endpoint.ts";

/** IoT Core's, of a message's payload and of its user properties. */
const maxPayloadBytes = 128 * 1024;
const maxUserPropertyBytes = 8 * 1024;

const knownParameters = new Set(["qos", "retain", "contentType", "responseTopic", "messageExpiry"]);

/**
 * A request to publish.
 *
 * @throws {ServiceError} with AWS's type, for what IoT Core refuses and for what is not known here.
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html
 */
export function readPublish(topic: string, { query, headers, bytes }: ServiceRequest): OutgoingMessage {
  for (const name of query.keys()) if (!knownParameters.has(name)) throw invalid(`${name} is not performed here`);
  if (bytes.length > maxPayloadBytes) {
    const message = `the payload has ${bytes.length} bytes, the limit is ${maxPayloadBytes}`;
    throw new ServiceError("RequestEntityTooLargeException", message, 413);
  }
  const isRetained = readOneOf("retain", query.get("retain") ?? "false", ["false", "true"]) === "true";
  // Basic Ingest goes to a rule and to nobody else.
  if (isRetained && topic.startsWith("$")) throw invalid(`${topic} takes no retained messages`);
  const field = (name: string) => [headers[`x-amz-mqtt5-${name}`]].flat()[0];
  const indicator = field("payload-format-indicator");
  const responseTopic = query.get("responseTopic") ?? undefined;
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) throw invalid("responseTopic holds a wildcard");
  return {
    topic,
    payload: bytes,
    qos: readOneOf("qos", query.get("qos") ?? "0", ["0", "1"]) === "1" ? 1 : 0,
    isRetained,
    properties: {
      mqtt: {
        payloadFormatIndicator:
          indicator === undefined
            ? undefined
            : readOneOf("payloadFormatIndicator", indicator, ["UTF8_DATA", "UNSPECIFIED_BYTES"]),
        contentType: query.get("contentType") ?? undefined,
        responseTopic,
        correlationData: field("correlation-data"),
      },
      user: readUserProperties(field("user-properties")),
      messageExpirySeconds: readExpiry(query.get("messageExpiry")),
    },
  };
}

function readOneOf<const Value extends string>(name: string, value: string, values: readonly Value[]): Value {
  const known = values.find((each) => each === value);
  if (known !== undefined) return known;
  throw invalid(`${name} is ${value}, not ${values.join(" or ")}`);
}

/** What four bytes hold (MQTT 5 §3.3.2.3.3). */
function readExpiry(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= 0xffff_ffff) return seconds;
  throw invalid(`messageExpiry is ${text}, not a number of seconds`);
}

/** Base64 of a JSON array of objects, each with one text under its name. */
function readUserProperties(field: string | undefined): readonly (readonly [string, string])[] {
  if (field === undefined || field === "") return [];
  const properties = parse(Buffer.from(field, "base64").toString()).map((item): readonly [string, string] => {
    const [entry, another] = Object.entries((item ?? {}) as object);
    if (entry !== undefined && another === undefined && typeof entry[1] === "string") return [entry[0], entry[1]];
    throw invalid(`userProperties has ${JSON.stringify(item)}, not one name with a text`);
  });
  const bytes = properties.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  if (bytes <= maxUserPropertyBytes) return properties;
  throw invalid(`userProperties have ${bytes} bytes, the limit is ${maxUserPropertyBytes}`);
}

function parse(json: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(json);
    if (Array.isArray(value)) return value;
  } catch {
    // Said below, as of JSON that is no array.
  }
  throw invalid("userProperties are not base64 of a JSON array");
}

function invalid(message: string): ServiceError {
  return new ServiceError("InvalidRequestException", message);
}
