import { cutEnvelope, type Envelope } from "./cut.ts";
import { type FilteredHeaders, filterHeaders, type HeaderFilterOptions } from "./header-filter.ts";
import { checkProperties, type DeviceMessage, fromProperties } from "./properties.ts";

/** A device's message, ready to become a request. */
export interface OpenedMessage extends FilteredHeaders {
  /** The request's body, to be sent as it is. */
  readonly body: Uint8Array;
  /** The device's content type, or the one that the body's kind has. */
  readonly contentType: string;
}

const contentTypes: Readonly<Record<Envelope["bodyKind"], string>> = {
  json: "application/json",
  text: "text/plain; charset=utf-8",
  binary: "application/octet-stream",
};

/**
 * Opens a device's message, in whichever of its two forms it came: with user properties, these are the header and
 * the payload is the body; without, the payload is the envelope `{"header":{…},"body":…}`. The content type property
 * describes the payload, so that it says nothing of a body inside an envelope.
 *
 * `content-type` stands in `headers` once, or not at all where `api.headers` sets it.
 *
 * @throws MessageError with the reason for the message's dead letter
 */
export function openMessage(message: DeviceMessage, options: HeaderFilterOptions): OpenedMessage {
  checkProperties(message);
  const isPlain = message.userProperties !== undefined && message.userProperties.length > 0;
  const { header, body, bodyKind } = isPlain ? fromProperties(message) : cutEnvelope(message.payload);
  const { headers, stripped, messageId } = filterHeaders(header, options);
  const own = headers.find(([name]) => name === "content-type");
  const contentType = own?.[1] ?? contentTypes[bodyKind];
  const isComplete = own !== undefined || options.overridden.has("content-type");
  return {
    headers: isComplete ? headers : [...headers, ["content-type", contentType]],
    stripped,
    messageId,
    body,
    contentType,
  };
}
