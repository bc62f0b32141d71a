import { invalid, makePublication, type PublicationHeaders, readOneOf } from "./iot-publication.ts";
import type { OutgoingMessage } from "./message-broker.ts";
import type { ServiceRequest } from "./service-endpoint.ts";

const knownParameters = new Set(["qos", "retain", "contentType", "responseTopic", "messageExpiry"]);

/**
 * A request to publish.
 *
 * @throws {ServiceError} with AWS's type, for what IoT Core refuses and for what is not known here.
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html
 */
export function readPublish(topic: string, { query, headers, bytes }: ServiceRequest): OutgoingMessage {
  for (const name of query.keys()) if (!knownParameters.has(name)) throw invalid(`${name} is not performed here`);
  const isRetained = readOneOf("retain", query.get("retain") ?? "false", ["false", "true"]) === "true";
  // Basic Ingest goes to a rule and to nobody else.
  if (isRetained && topic.startsWith("$")) throw invalid(`${topic} takes no retained messages`);
  const field = (name: string) => [headers[`x-amz-mqtt5-${name}`]].flat()[0];
  const qos = readOneOf("qos", query.get("qos") ?? "0", ["0", "1"]) === "1" ? 1 : 0;
  return makePublication(
    { topic, payload: bytes, qos, isRetained },
    {
      payloadFormatIndicator: field("payload-format-indicator"),
      contentType: query.get("contentType") ?? undefined,
      responseTopic: query.get("responseTopic") ?? undefined,
      correlationData: field("correlation-data"),
      messageExpiry: query.get("messageExpiry") ?? undefined,
      userProperties: readUserProperties(field("user-properties")),
    },
  );
}

/** Base64 of a JSON array of objects, each with one text under its name. */
function readUserProperties(field: string | undefined): PublicationHeaders["userProperties"] {
  if (field === undefined || field === "") return [];
  return parse(Buffer.from(field, "base64").toString()).map((item): readonly [string, string] => {
    const [entry, another] = Object.entries((item ?? {}) as object);
    if (entry !== undefined && another === undefined && typeof entry[1] === "string") return [entry[0], entry[1]];
    throw invalid(`userProperties has ${JSON.stringify(item)}, not one name with a text`);
  });
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
