import type { DeviceMessage } from "../../scheme/envelope/properties.ts";
import type { IngestMessage } from "../../scheme/ingest.ts";
import { MessageError } from "../../scheme/message-error.ts";

/**
 * Reads what a topic rule selected, from the body of an SQS message.
 *
 * @throws {MessageError} `TOPIC_NOT_ROUTED` where something else than one of the topic rules wrote it.
 */
export function parseIngestMessage(body: string): IngestMessage {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new MessageError("TOPIC_NOT_ROUTED", "the SQS message is not JSON, as a topic rule writes it", {
      cause: error,
    });
  }
  return readIngestMessage(value);
}

/** Reads what a topic rule selected. @throws {MessageError} as {@link parseIngestMessage}. */
export function readIngestMessage(value: unknown): IngestMessage {
  if (isIngestMessage(value)) return value;
  throw new MessageError("TOPIC_NOT_ROUTED", "the event is not what a topic rule selects");
}

/** The message as its device published it. */
export function toDeviceMessage(message: IngestMessage): DeviceMessage {
  const { data, userProperties, contentType, payloadFormat, correlationData } = message;
  return {
    payload: Buffer.from(data, "base64"),
    userProperties: userProperties?.flatMap((property) => Object.entries(property)),
    contentType,
    payloadFormatIndicator: payloadFormat,
    correlationData,
  };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isTextOrAbsent: Check = (value) => value === undefined || isText(value);

/** Only what the rest relies on. A message that was not published by MQTT has no trace id. */
const checks: Readonly<Record<keyof IngestMessage, Check>> = {
  data: isText,
  topic: isText,
  route: isText,
  receivedAt: (value) => Number.isInteger(value) && Math.abs(Number(value)) <= 8.64e15, // what a Date can hold
  traceId: isTextOrAbsent,
  userProperties: (value) => value === undefined || (Array.isArray(value) && value.every(isProperty)),
  contentType: isTextOrAbsent,
  payloadFormat: isTextOrAbsent,
  responseTopic: isTextOrAbsent,
  correlationData: isTextOrAbsent,
  broker: isTextOrAbsent,
  id: (value) => value === undefined || (isText(value) && /^[!-~]{1,128}$/.test(String(value))), // SQS's are UUIDs
};

const checkList = Object.entries(checks);

function isIngestMessage(value: unknown): value is IngestMessage {
  if (typeof value !== "object" || value === null) return false;
  const columns: Readonly<Record<string, unknown>> = { ...value };
  return checkList.every(([name, check]) => check(columns[name]));
}

function isProperty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every(isText);
}
