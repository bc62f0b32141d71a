import { randomUUID } from "node:crypto";
import type { IPublishPacket } from "mqtt";
import { type MessageProperties, userPropertiesOf } from "../../client/message.ts";
import type { FrameMember } from "../../scheme/frame/frame.ts";
import type { Message } from "../../sql/message.ts";

/** `mqtt` has bytes where it reads, whatever its types say. */
export function payloadOf({ payload }: IPublishPacket): Buffer {
  return typeof payload === "string" ? Buffer.from(payload) : payload;
}

/** A message of the broker as a frame holds it. @param now Milliseconds since 1970. */
export function memberOf(packet: IPublishPacket, now: number, id: string = randomUUID()): FrameMember {
  const { topic, properties } = packet;
  const member = { id, receivedAt: now, topic, payload: payloadOf(packet) };
  if (properties === undefined) return member;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  return {
    ...member,
    payloadFormat: payloadFormatIndicator === true ? "UTF8_DATA" : "UNSPECIFIED_BYTES",
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(userProperties === undefined ? {} : { userProperties: userPropertiesOf(userProperties) }),
  };
}

/** A member as the SQL of its route's `where` sees it. Its time and its id are the relay's. */
export function messageOf(member: FrameMember): Message {
  const { id, receivedAt, topic, payload, payloadFormat, userProperties } = member;
  const { contentType, responseTopic, correlationData } = member;
  return {
    ...{ topic, payload, timestampMs: receivedAt, traceId: id, userProperties },
    mqttProperties: {
      payloadFormatIndicator: payloadFormat,
      contentType,
      responseTopic,
      correlationData: correlationData && Buffer.from(correlationData).toString("base64"),
    },
  };
}

/** The properties of a publish that carries a member by itself. */
export function propertiesOf(member: FrameMember): MessageProperties {
  const { payloadFormat, contentType, responseTopic, correlationData, userProperties } = member;
  return {
    ...(payloadFormat === "UTF8_DATA" ? { payloadFormatIndicator: true } : {}),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    ...(userProperties === undefined ? {} : { userProperties }),
  };
}
