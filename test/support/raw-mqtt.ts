import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type ProtocolVersion = 4 | 5;

/** A packet as it came: its type (MQTT 5 §2.1.2) and all after the remaining length. */
export interface RawPacket {
  readonly type: number;
  readonly body: Buffer;
}

export const PacketType = { connack: 2, puback: 4, disconnect: 14 } as const;

/** An MQTT connection that sends whatever bytes it is given: for what no client library would send. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  readonly #version: ProtocolVersion;
  readonly #packets: RawPacket[] = [];
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket, version: ProtocolVersion) {
    this.#socket = socket;
    this.#version = version;
    socket.on("data", (bytes) => this.#take(bytes));
    // The broker may reset a connection that it ends; `close` follows.
    socket.on("error", () => {});
  }

  static async open(port: number, version: ProtocolVersion): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket, version);
  }

  /** Sends CONNECT; `properties` only count in MQTT 5. */
  connect(username: string, properties: Uint8Array = Buffer.alloc(0)): void {
    const userNameAndCleanStart = 0x82;
    const keepAlive = Buffer.from([0, 60]);
    this.#send(0x10, [
      field("MQTT"),
      Buffer.from([this.#version, userNameAndCleanStart]),
      keepAlive,
      this.#properties(properties),
      field(`raw-${username}`),
      field(username),
    ]);
  }

  /** Sends PUBLISH at QoS 1 with packet identifier 1. */
  publish(topic: Uint8Array, payload: string, properties: Uint8Array = Buffer.alloc(0)): void {
    const packetIdentifier = Buffer.from([0, 1]);
    this.#send(0x32, [field(topic), packetIdentifier, this.#properties(properties), Buffer.from(payload)]);
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

  #properties(properties: Uint8Array): Uint8Array {
    return this.#version === 5 ? Buffer.concat([remainingLength(properties.length), properties]) : Buffer.alloc(0);
  }

  #send(firstByte: number, parts: readonly Uint8Array[]): void {
    const body = Buffer.concat(parts);
    this.#socket.write(Buffer.concat([Buffer.from([firstByte]), remainingLength(body.length), body]));
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
