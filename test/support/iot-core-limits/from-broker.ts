import { limitedConnack } from "./connack-packet.ts";
import type { Exchange, Line } from "./exchange.ts";
import { packet as makePacket, twoBytes } from "./fields.ts";
import { type Packet, PacketType, type Verdict } from "./packet-splitter.ts";
import { type PublishPacket, readPublish } from "./publish-packet.ts";

/** Decides what becomes of the broker's packets for one client. */
export class FromBroker {
  readonly #exchange: Exchange;
  readonly #line: Line;
  /** QoS 1 above the rate: IoT Core sends it again later, and so does this. */
  readonly #postponed: Uint8Array[] = [];
  #callOff: (() => void) | undefined;

  constructor(exchange: Exchange, line: Line) {
    this.#exchange = exchange;
    this.#line = line;
  }

  judge(packet: Packet): Verdict {
    switch (packet.type) {
      case PacketType.connack:
        return this.#judgeConnack(packet);
      case PacketType.puback:
        return this.#judgePuback(packet);
      case PacketType.publish:
        return this.#judgePublish(packet);
      default:
        return "pass";
    }
  }

  close(): void {
    this.#callOff?.();
  }

  #judgeConnack(packet: Packet): Verdict {
    const { version, shared, keepAliveSeconds, askedKeepAliveSeconds } = this.#exchange;
    if (version === 4) return "pass";
    const isChanged = Number.isFinite(keepAliveSeconds) && keepAliveSeconds !== askedKeepAliveSeconds;
    return limitedConnack(packet, shared.limits, isChanged ? keepAliveSeconds : undefined);
  }

  #judgePuback({ buffer, body }: Packet): Verdict {
    const { unacknowledged, toForget, shared } = this.#exchange;
    const packetId = buffer.readUInt16BE(body);
    unacknowledged.delete(packetId);
    if (toForget.delete(packetId)) {
      shared.tally.counts.forgotten++;
      return "drop";
    }
    shared.tally.counts.acknowledged++;
    return "pass";
  }

  #judgePublish(packet: Packet): Verdict {
    const { shared, version } = this.#exchange;
    const publish = readPublish(packet, version);
    if (shared.limits.keepsRetainedFromWildcards && this.#isForWildcard(publish)) {
      shared.tally.counts.undelivered++;
      if (publish.qos === 1) this.#line.toBroker(makePacket(0x40, [twoBytes(publish.packetId)]));
      return "drop";
    }
    if (this.#postponed.length === 0 && this.#exchange.takePublish()) {
      shared.tally.counts.delivered++;
      return "pass";
    }
    if (publish.qos === 0) shared.tally.counts.undelivered++;
    else this.#postpone(Buffer.from(packet.buffer.subarray(packet.start, packet.end)));
    return "drop";
  }

  /** RETAIN comes with a stored message only; a live one has it nowhere, see `ignoresSubscriptionOptions`. */
  #isForWildcard({ isRetained, topic }: PublishPacket): boolean {
    return isRetained && !this.#exchange.filters.has(topic);
  }

  #postpone(bytes: Uint8Array): void {
    this.#postponed.push(bytes);
    if (this.#callOff === undefined) this.#wait();
  }

  #wait(): void {
    const { clock } = this.#exchange.shared;
    this.#callOff = clock.after(this.#exchange.publishes.waitMs(clock.now()), () => {
      this.#callOff = undefined;
      this.#sendPostponed();
    });
  }

  #sendPostponed(): void {
    const { counts } = this.#exchange.shared.tally;
    while (this.#postponed.length > 0 && this.#exchange.takePublish()) {
      counts.delivered++;
      this.#line.toClient(this.#postponed.shift() ?? Buffer.alloc(0));
    }
    this.#exchange.shared.tally.changed();
    if (this.#postponed.length > 0) this.#wait();
  }
}
