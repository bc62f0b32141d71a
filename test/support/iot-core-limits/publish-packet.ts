import type { Ending } from "./endings.ts";
import { FieldReader } from "./fields.ts";
import type { Limits } from "./limits.ts";
import type { Packet } from "./packet-splitter.ts";
import { type Property, PropertyId, readProperties } from "./properties.ts";

/** What matters of a PUBLISH (MQTT 5 §3.3). */
export interface PublishPacket {
  readonly qos: number;
  readonly isRetained: boolean;
  readonly topic: string;
  readonly topicBytes: number;
  /** 0 at QoS 0. */
  readonly packetId: number;
  readonly properties: readonly Property[];
  readonly payload: Buffer;
  /** Variable header and payload. */
  readonly bytes: number;
}

const none: readonly Property[] = [];

export function readPublish({ buffer, start, body, end }: Packet, version: 4 | 5): PublishPacket {
  const first = buffer.readUInt8(start);
  const qos = (first >> 1) & 3;
  const reader = new FieldReader(buffer, body, end);
  const topic = reader.data();
  const packetId = qos === 0 ? 0 : reader.twoBytes();
  const properties = version === 5 ? readProperties(reader) : none;
  return {
    qos,
    isRetained: (first & 1) === 1,
    topic: topic.toString(),
    topicBytes: topic.length,
    packetId,
    properties,
    payload: buffer.subarray(reader.at, end),
    bytes: end - body,
  };
}

/** Whether a client's publish ends its connection, and why. */
export function faultOf(publish: PublishPacket, limits: Limits): Ending | undefined {
  const { topic, payload, bytes, properties, isRetained } = publish;
  if (payload.length > limits.payloadBytes) return "payload too large";
  if (bytes > limits.packetBytes) return "packet too large";
  const topicFault = topicFaultOf(topic, publish.topicBytes, limits);
  if (topicFault !== undefined) return topicFault;
  if (isRetained && topic.startsWith("$") && limits.endsRetainedReserved) return "retained on a reserved topic";
  return properties.length === 0 ? undefined : propertyFaultOf(properties, limits);
}

/** Whether a topic name is one that a client may not publish to. */
export function topicFaultOf(topic: string, topicBytes: number, limits: Limits): Ending | undefined {
  const prefix = basicIngestPrefix.exec(topic)?.[0].length ?? 0;
  if (topicBytes - prefix > limits.topicBytes) return "topic too long";
  if (limits.topicSlashes !== Number.POSITIVE_INFINITY && slashesFrom(topic, prefix) > limits.topicSlashes) {
    return "topic too deep";
  }
  return limits.endsReserved && topic.startsWith("$") && !publishable.test(topic) ? "reserved topic" : undefined;
}

/** Neither its levels nor its bytes count; the names of rules are ASCII. */
const basicIngestPrefix = /^\$aws\/rules\/[^/]+\//;

/**
 * The reserved topics that clients publish to, by their beginnings.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html
 */
const publishable =
  /^\$aws\/(rules\/[^/]+\/.|things\/|commands\/|provisioning-templates\/|certificates\/|device_location\/)/;

export function slashesFrom(topic: string, start: number): number {
  let slashes = 0;
  for (let at = topic.indexOf("/", start); at !== -1; at = topic.indexOf("/", at + 1)) slashes++;
  return slashes;
}

function propertyFaultOf(properties: readonly Property[], limits: Limits): Ending | undefined {
  let userBytes = 0;
  for (const { id, bytes } of properties) {
    // None was offered, see the CONNACK.
    if (id === PropertyId.topicAlias) return "topic alias";
    // Without the identifier and the length of each.
    if (id === PropertyId.userProperty) userBytes += bytes.length - 5;
    if (id === PropertyId.correlationData && bytes.length - 3 > limits.correlationDataBytes)
      return "properties too large";
    if (id === PropertyId.contentType && bytes.length - 3 > limits.contentTypeBytes) return "properties too large";
  }
  return userBytes > limits.userPropertyBytes ? "properties too large" : undefined;
}
