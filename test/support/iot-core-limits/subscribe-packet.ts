import { FieldReader, field, packet as makePacket, twoBytes } from "./fields.ts";
import type { Limits } from "./limits.ts";
import type { Packet } from "./packet-splitter.ts";
import { type Property, PropertyId, propertiesField, readProperties } from "./properties.ts";
import { slashesFrom } from "./publish-packet.ts";

interface Subscription {
  readonly filter: string;
  /** In MQTT 5 with No Local, Retain As Published and Retain Handling (§3.8.3.1). */
  readonly options: number;
}

/** What matters of a SUBSCRIBE (MQTT 5 §3.8). */
export interface SubscribePacket {
  readonly packetId: number;
  readonly properties: readonly Property[];
  readonly subscriptions: readonly Subscription[];
}

export function readSubscribe({ buffer, body, end }: Packet, version: 4 | 5): SubscribePacket {
  const reader = new FieldReader(buffer, body, end);
  const packetId = reader.twoBytes();
  const properties = version === 5 ? readProperties(reader) : [];
  const subscriptions: Subscription[] = [];
  while (!reader.isAtEnd) subscriptions.push({ filter: reader.text(), options: reader.byte() });
  return { packetId, properties, subscriptions };
}

/** The SUBSCRIBE with nothing but a QoS as its options. */
export function plainSubscribe({ packetId, properties, subscriptions }: SubscribePacket, version: 4 | 5): Buffer {
  const head = version === 5 ? [propertiesField(properties.map(({ bytes }) => bytes))] : [];
  const filters = subscriptions.flatMap(({ filter, options }) => [field(filter), Buffer.from([options & 3])]);
  return makePacket(0x82, [twoBytes(packetId), ...head, ...filters]);
}

export function hasIdentifier({ properties }: SubscribePacket): boolean {
  return properties.some(({ id }) => id === PropertyId.subscriptionIdentifier);
}

/** Why a SUBSCRIBE is refused, as the reason code of its SUBACK in MQTT 5; `held` are the connection's filters. */
export function refusalOf({ subscriptions }: SubscribePacket, held: ReadonlySet<string>, limits: Limits) {
  if (subscriptions.length > limits.filtersPerSubscribe) return 0x97;
  const all = new Set([...held, ...subscriptions.map(({ filter }) => filter)]);
  if (all.size > limits.subscriptionsPerConnection) return 0x97;
  return subscriptions.some(({ filter }) => isTooLarge(filter, limits)) ? 0x8f : undefined;
}

/** The two slashes of `$share/<name>/` do not count. */
function isTooLarge(filter: string, limits: Limits): boolean {
  const prefix = /^\$share\/[^/]+\//.exec(filter)?.[0].length ?? 0;
  return Buffer.byteLength(filter) > limits.topicBytes || slashesFrom(filter, prefix) > limits.topicSlashes;
}

/** A SUBACK that refuses all filters; MQTT 3.1.1 has one code for every reason. */
export function refusingSuback({ packetId, subscriptions }: SubscribePacket, version: 4 | 5, code: number): Buffer {
  const codes = Buffer.alloc(subscriptions.length, version === 5 ? code : 0x80);
  return makePacket(0x90, [twoBytes(packetId), ...(version === 5 ? [Buffer.from([0])] : []), codes]);
}

/**
 * The reserved topics that clients subscribe to, by their beginnings. Basic Ingest topics are not among them.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html
 */
const subscribable =
  /^\$(share\/|aws\/(things|commands|events|provisioning-templates|certificates|device_location|sitewise)\/)/;

export function isReservedFilter(filter: string): boolean {
  return filter.startsWith("$") && !subscribable.test(filter);
}
