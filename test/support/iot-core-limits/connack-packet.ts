import { FieldReader, fourBytes, packet as makePacket, twoBytes } from "./fields.ts";
import type { Limits } from "./limits.ts";
import type { Packet } from "./packet-splitter.ts";
import { PropertyId, propertiesField, readProperties } from "./properties.ts";

/** What the stand-in says of itself in place of the broker behind. */
const own: ReadonlySet<number> = new Set([
  PropertyId.serverKeepAlive,
  PropertyId.receiveMaximum,
  PropertyId.topicAliasMaximum,
  PropertyId.maximumQos,
  PropertyId.maximumPacketSize,
  PropertyId.subscriptionIdentifierAvailable,
]);

/**
 * The CONNACK of an MQTT 5 connection with the limits that IoT Core announces (MQTT 5 §3.2.2.3).
 *
 * Topic aliases are not offered, of which IoT Core has 8.
 */
export function limitedConnack({ buffer, body, end }: Packet, limits: Limits, keepAliveSeconds?: number): Buffer {
  const reader = new FieldReader(buffer, body, end);
  const head = Buffer.from([reader.byte(), reader.byte()]);
  const properties = readProperties(reader)
    .filter(({ id }) => !own.has(id))
    .map(({ bytes }): Uint8Array => bytes);
  const say = (id: number, value: Uint8Array) => properties.push(Buffer.concat([Buffer.from([id]), value]));
  if (keepAliveSeconds !== undefined) say(PropertyId.serverKeepAlive, twoBytes(keepAliveSeconds));
  if (limits.inboundUnacknowledged <= 65_535) say(PropertyId.receiveMaximum, twoBytes(limits.inboundUnacknowledged));
  if (limits.ignoresQos2) say(PropertyId.maximumQos, Buffer.from([1]));
  if (limits.packetBytes < 2 ** 32) say(PropertyId.maximumPacketSize, fourBytes(limits.packetBytes));
  say(PropertyId.subscriptionIdentifierAvailable, Buffer.from([0]));
  return makePacket(0x20, [head, propertiesField(properties)]);
}

/** A CONNACK that turns the client away. */
export function refusingConnack(version: 4 | 5, code: number): Buffer {
  return Buffer.from(version === 5 ? [0x20, 3, 0, code, 0] : [0x20, 2, 0, code]);
}
