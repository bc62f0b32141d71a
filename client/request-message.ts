import { isUtf8 } from "node:buffer";
import { isJson } from "../scheme/is-json.ts";
import type { RequestOptions } from "./client-options.ts";
import type { Outgoing } from "./outbox.ts";
import { idField } from "./reply-table.ts";

export interface RequestParts {
  readonly id: string;
  readonly replyTopic: string;
  readonly payload: Uint8Array | string;
}

/** A request in one of its two forms. */
export function requestMessage(
  form: NonNullable<RequestOptions["form"]>,
  { id, replyTopic, payload }: RequestParts,
): Pick<Outgoing, "payload" | "properties"> {
  // MQTT 5 carries both beside either payload: whoever understands them can answer by them.
  const properties = { responseTopic: replyTopic, correlationData: Buffer.from(id) };
  return form === "envelope"
    ? { payload: envelope(id, payload), properties }
    : { payload, properties: { ...properties, userProperties: [[idField, id]] } };
}

/** Around JSON its bytes as they are; text becomes a JSON string, other bytes base64, as an envelope has them. */
function envelope(id: string, payload: Uint8Array | string): Uint8Array | string {
  const start = `{"header":{"${idField}":${JSON.stringify(id)}},"body":`;
  if (typeof payload !== "string" && !isUtf8(payload)) {
    return `${start}"${Buffer.from(payload).toString("base64")}","bodyEncoding":"base64"}`;
  }
  const body = typeof payload === "string" ? payload : Buffer.from(payload).toString();
  return `${start}${isJson(body) ? body : JSON.stringify(body)}}`;
}
