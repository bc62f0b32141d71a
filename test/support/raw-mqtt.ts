import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type ProtocolVersion = 4 | 5;

/** A packet as it came: its type (MQTT 5 §2.1.2) and all after the remaining length. */
export interface RawPacket {
  readonly type: number;
  readonly body: Buffer;
}

export const PacketType = { connack: 2, puback: 4, disconnect: 14 } as const;

export interface ConnectFields {
  /** `raw-` and the user name by default. */
  readonly clientId?: string;
  readonly password?: string;
}

/** An MQTT connection that sends whatever bytes it is given: for what no client library would send. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  readonly #version: ProtocolVersion;
  readonly #closed: Promise<void>;
  readonly #packets: RawPacket[] = [];
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket, version: ProtocolVersion) {
    this.#socket = socket;
    this.#version = version;
    socket.on("data", (bytes) => this.#take(bytes));
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    // The broker may reset a connection that it ends; `close` follows.
    socket.on("error", () => {});
  }

  static async open(port: number, version: ProtocolVersion): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket, version);
  }

  /** Sends CONNECT; `properties` only count in MQTT 5. */
  connect(username: string, properties: Uint8Array = none, { clientId, password }: ConnectFields = {}): void {
    const flags = Buffer.from([this.#version, password === undefined ? 0x82 : 0xc2]); // user name, clean start
    const keepAlive = Buffer.from([0, 60]);
    const credentials = [field(username), ...(password === undefined ? [] : [field(password)])];
    const head = [field("MQTT"), flags, keepAlive, propertiesOf(this.#version, properties)];
    this.write(packetOf(0x10, [...head, field(clientId ?? `raw-${username}`), ...credentials]));
  }

  /** Sends PUBLISH at QoS 1 with packet identifier 1. */
  publish(topic: Uint8Array, payload: string, properties: Uint8Array = none): void {
    this.write(publishPacket(this.#version, topic, Buffer.from(payload), properties));
  }

  /** Sends bytes that need not be a packet. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Says that no more comes, and waits until the broker has ended the connection. */
  async end(): Promise<void> {
    this.#socket.end();
    await this.#closed;
  }

  /** The next packet, or undefined when the broker has ended the connection. */
  async next(): Promise<RawPacket | undefined> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) return packet;
      if (this.#socket.closed) return undefined;
      await Promise.race([once(this.#socket, "data"), once(this.#socket, "close")]);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    // What a broker answers here is shorter than 128 bytes: one byte of remaining length.
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt8(1)) {
      const end = 2 + this.#rest.readUInt8(1);
      this.#packets.push({ type: this.#rest.readUInt8(0) >> 4, body: this.#rest.subarray(2, end) });
      this.#rest = this.#rest.subarray(end);
    }
  }
}

const none = Buffer.alloc(0);

/** PUBLISH at QoS 1 with packet identifier 1 (MQTT 5 §3.3). */
export function publishPacket(
  version: ProtocolVersion,
  topic: string | Uint8Array,
  payload: Uint8Array,
  properties: Uint8Array = none,
): Buffer {
  return packetOf(0x32, [field(topic), Buffer.from([0, 1]), propertiesOf(version, properties), payload]);
}

function packetOf(firstByte: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([firstByte]), remainingLength(body.length), body]);
}

function propertiesOf(version: ProtocolVersion, properties: Uint8Array): Uint8Array {
  return version === 5 ? Buffer.concat([remainingLength(properties.length), properties]) : none;
}

/** Text or bytes behind their length (MQTT 5 §1.5.4). */
function field(value: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Variable byte integer (MQTT 5 §1.5.5). */
function remainingLength(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}
