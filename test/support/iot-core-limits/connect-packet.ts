import { FieldReader, field, packet as makePacket, twoBytes } from "./fields.ts";
import type { Packet } from "./packet-splitter.ts";
import { PropertyId, propertiesField, readProperties } from "./properties.ts";

/** What matters of a CONNECT (MQTT 5 §3.1). */
export interface ConnectPacket {
  readonly version: 4 | 5;
  /** Mosquitto presents itself as a bridge by the protocol number's highest bit. */
  readonly hasBridgeFlag: boolean;
  readonly clientId: string;
  readonly keepAliveSeconds: number;
  readonly willTopic: string | undefined;
  /** The CONNECT for the broker behind. */
  forBroker(change: ForBroker): Buffer;
}

export interface ForBroker {
  readonly username: string;
  /** 0 for none. */
  readonly keepAliveSeconds: number;
  /** Of MQTT 5; an upper bound of what the client says. */
  readonly receiveMaximum: number;
}

const flag = { password: 0x40, username: 0x80, will: 0x04 } as const;

export function readConnect({ buffer, body, end }: Packet): ConnectPacket {
  const reader = new FieldReader(buffer, body, end);
  const protocolName = reader.data();
  const level = reader.byte();
  const version = (level & 0x7f) === 5 ? 5 : 4;
  const flags = reader.byte();
  const keepAliveSeconds = reader.twoBytes();
  const properties = version === 5 ? readProperties(reader) : [];
  const clientId = reader.text();
  const willStart = reader.at;
  let willTopic: string | undefined;
  if ((flags & flag.will) !== 0) {
    if (version === 5) readProperties(reader);
    willTopic = reader.text();
    reader.data();
  }
  const will = buffer.subarray(willStart, reader.at);
  const forBroker = ({ username, keepAliveSeconds: seconds, receiveMaximum }: ForBroker): Buffer => {
    const flagsThere = (flags | flag.username) & ~flag.password;
    const parts = [field(protocolName), Buffer.from([version, flagsThere]), twoBytes(seconds)];
    if (version === 5) {
      const wanted = properties.find(({ id }) => id === PropertyId.receiveMaximum)?.bytes.readUInt16BE(1) ?? 65_535;
      const kept = properties.filter(({ id }) => id !== PropertyId.receiveMaximum).map(({ bytes }) => bytes);
      const bound = Math.min(wanted, receiveMaximum, 65_535);
      parts.push(propertiesField([...kept, Buffer.from([PropertyId.receiveMaximum]), twoBytes(bound)]));
    }
    return makePacket(0x10, [...parts, field(clientId), will, field(username)]);
  };
  return { version, hasBridgeFlag: level >= 0x80, clientId, keepAliveSeconds, willTopic, forBroker };
}
