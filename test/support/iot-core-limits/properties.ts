import { type FieldReader, variableInteger } from "./fields.ts";
import { MalformedPacket } from "./packet-splitter.ts";

/** Identifiers of properties (MQTT 5 §2.2.2.2) that are looked at. */
export const PropertyId = {
  contentType: 0x03,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  serverKeepAlive: 0x13,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  maximumQos: 0x24,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
  subscriptionIdentifierAvailable: 0x29,
} as const;

export interface Property {
  readonly id: number;
  /** With the identifier. */
  readonly bytes: Buffer;
}

type Kind = "byte" | "two" | "four" | "integer" | "data" | "pair";

const kinds: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  ...[0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a].map((id) => [id, "byte"] as const),
  ...[0x13, 0x21, 0x22, 0x23].map((id) => [id, "two"] as const),
  ...[0x02, 0x11, 0x18, 0x27].map((id) => [id, "four"] as const),
  ...[0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f].map((id) => [id, "data"] as const),
  [0x0b, "integer"],
  [0x26, "pair"],
]);

const skip: Readonly<Record<Kind, (reader: FieldReader) => unknown>> = {
  byte: (reader) => reader.skip(1),
  two: (reader) => reader.skip(2),
  four: (reader) => reader.skip(4),
  integer: (reader) => reader.variableInteger(),
  data: (reader) => reader.data(),
  pair: (reader) => [reader.data(), reader.data()],
};

/** The properties of a packet, the reader being where they begin. */
export function readProperties(reader: FieldReader): readonly Property[] {
  const length = reader.variableInteger();
  const end = reader.at + length;
  const properties: Property[] = [];
  while (reader.at < end) {
    const start = reader.at;
    const id = reader.byte();
    const kind = kinds.get(id);
    if (kind === undefined) throw new MalformedPacket(`a property 0x${id.toString(16)}`);
    skip[kind](reader);
    properties.push({ id, bytes: reader.buffer.subarray(start, reader.at) });
  }
  return properties;
}

/** Properties behind the length of them all. */
export function propertiesField(properties: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(properties);
  return Buffer.concat([variableInteger(bytes.length), bytes]);
}
