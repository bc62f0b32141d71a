import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { refusingConnack } from "./connack-packet.ts";
import { type ConnectPacket, readConnect } from "./connect-packet.ts";
import { type Ending, endings, type OtherEnding, type Refusal, refusals } from "./endings.ts";
import { Exchange, type Line, type Shared } from "./exchange.ts";
import { FromBroker } from "./from-broker.ts";
import { judgeFromClient } from "./from-client.ts";
import { MalformedPacket, type Packet, PacketSplitter, PacketType, type Verdict } from "./packet-splitter.ts";
import { Throughput } from "./rates.ts";

export interface ConnectionOptions {
  readonly shared: Shared;
  /** Socket of the broker behind. */
  readonly brokerPath: string;
  /** Common name of the client's certificate, and its user name at the broker. */
  readonly identity: string;
  /** Whether the client may come in, or why not. */
  readonly admit: (connection: Connection, packet: ConnectPacket) => Refusal | undefined;
  readonly onClose: (connection: Connection) => void;
}

/** A client's connection, and the one to the broker behind that is made for it. */
export class Connection implements Line {
  readonly #client: TLSSocket;
  readonly #options: ConnectionOptions;
  readonly #shared: Shared;
  readonly #fromClient = new PacketSplitter();
  readonly #fromBroker = new PacketSplitter();
  readonly #throughput = new Throughput();
  /** Timers that run; calling one calls it off. */
  readonly #timers = new Set<() => void>();
  #broker: Socket | undefined;
  #exchange: Exchange | undefined;
  #judge: FromBroker | undefined;
  #heardAt = 0;
  #hasSaidGoodbye = false;
  #isFrozen = false;
  #isOver = false;
  #isJudging = false;
  #endsFor: Ending | undefined;
  /** Reasons to read nothing from the client; as long as there is one, nothing is. */
  readonly #pauses = new Set<"delay" | "broker">();

  constructor(client: TLSSocket, options: ConnectionOptions) {
    this.#client = client;
    this.#options = options;
    this.#shared = options.shared;
    client.setNoDelay(true);
    client.on("error", () => {});
    client.on("close", () => this.#close(this.#hasSaidGoodbye ? "client" : "connection lost"));
    client.on("data", (bytes) => this.#read(bytes));
  }

  get clientId(): string | undefined {
    return this.#exchange?.clientId;
  }

  end(reason: Ending): void {
    if (this.#isOver) return;
    if (this.#isJudging) {
      // What came before in the same piece is to go its way first.
      this.#endsFor ??= reason;
      return;
    }
    const farewell = this.#exchange?.version === 5 ? Buffer.from([0xe0, 2, endings[reason], 0]) : undefined;
    this.#close(reason);
    // A line that is dead hears nothing, not even its end.
    if (this.#isFrozen) return;
    this.#leave(farewell);
  }

  /** Ends it abruptly, as a reset does. */
  cut(): void {
    this.#close("cut");
    this.#client.destroy();
  }

  /** From now on nothing comes through in either direction, and nobody is told: a half-open connection. */
  freeze(): void {
    this.#isFrozen = true;
  }

  toClient(bytes: Uint8Array): void {
    const { answerDelayMs } = this.#shared.faults;
    if (answerDelayMs > 0) this.#later(answerDelayMs, () => this.#write(bytes));
    else this.#write(bytes);
  }

  toBroker(bytes: Uint8Array): void {
    this.#broker?.write(bytes);
  }

  #read(bytes: Buffer): void {
    if (this.#isFrozen || this.#isOver) return;
    const { clock, limits, tally } = this.#shared;
    this.#heardAt = clock.now();
    tally.counts.receivedBytes += bytes.length;
    const passed = this.#split(this.#fromClient, bytes, (packet) => this.#judgeFromClient(packet));
    let isTaken = true;
    for (const piece of passed) isTaken = this.#broker?.write(piece) ?? true;
    if (!isTaken) this.#pause("broker");
    if (this.#endsFor !== undefined) this.end(this.#endsFor);
    this.#delay(this.#throughput.spend(bytes.length, limits.bytesPerSecond, this.#heardAt));
    tally.changed();
  }

  #judgeFromClient(packet: Packet): Verdict {
    if (this.#exchange !== undefined) {
      if (packet.type === PacketType.disconnect) this.#hasSaidGoodbye = true;
      return judgeFromClient(packet, this.#exchange, this);
    }
    if (packet.type !== PacketType.connect) {
      this.end("protocol error");
      return "stop";
    }
    return this.#accept(readConnect(packet));
  }

  #accept(packet: ConnectPacket): Verdict {
    const { shared, identity, admit } = this.#options;
    const refusal = admit(this, packet);
    if (refusal !== undefined) {
      shared.tally.add(shared.tally.counts.refused, refusal);
      const code = refusals[refusal][packet.version === 5 ? "v5" : "v3"];
      this.#close("connection lost");
      this.#leave(code === undefined ? undefined : refusingConnack(packet.version, code));
      return "stop";
    }
    shared.tally.counts.connects++;
    this.#exchange = new Exchange(shared, packet);
    this.#judge = new FromBroker(this.#exchange, this);
    this.#openBroker();
    this.#watchSilence();
    return packet.forBroker({
      username: identity,
      // Silence is noticed here, by the stand-in's clock.
      keepAliveSeconds: 0,
      receiveMaximum: shared.limits.outboundUnacknowledged,
    });
  }

  #openBroker(): void {
    const broker = connect(this.#options.brokerPath);
    broker.on("error", () => {});
    broker.on("close", () => this.#brokerClosed());
    broker.on("drain", () => this.#resume("broker"));
    broker.on("data", (bytes) => this.#readBroker(bytes));
    this.#broker = broker;
  }

  #readBroker(bytes: Buffer): void {
    if (this.#isFrozen || this.#isOver) return;
    const { tally, limits, clock } = this.#shared;
    const judge = this.#judge;
    for (const piece of this.#split(this.#fromBroker, bytes, (packet) => judge?.judge(packet) ?? "pass")) {
      this.toClient(piece);
    }
    this.#delay(this.#throughput.spend(bytes.length, limits.bytesPerSecond, clock.now()));
    tally.changed();
  }

  #split(splitter: PacketSplitter, bytes: Buffer, judge: (packet: Packet) => Verdict): readonly Uint8Array[] {
    this.#isJudging = true;
    try {
      return splitter.push(bytes, judge);
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      this.end("malformed packet");
      return [];
    } finally {
      this.#isJudging = false;
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#isFrozen || this.#isOver || this.#client.destroyed) return;
    if (this.#client.write(bytes)) return;
    this.#broker?.pause();
    this.#client.once("drain", () => this.#broker?.resume());
  }

  /** Ends the client's socket after its last packet. What the client still sends must not keep it open. */
  #leave(lastPacket: Uint8Array = Buffer.alloc(0)): void {
    this.#client.once("finish", () => this.#client.destroySoon());
    this.#client.end(lastPacket);
  }

  #delay(milliseconds: number): void {
    if (milliseconds <= 0 || this.#pauses.has("delay") || this.#isOver) return;
    this.#shared.tally.counts.delays++;
    this.#pause("delay");
    this.#broker?.pause();
    this.#later(milliseconds, () => {
      this.#resume("delay");
      this.#broker?.resume();
    });
  }

  #pause(reason: "delay" | "broker"): void {
    this.#pauses.add(reason);
    this.#client.pause();
  }

  #resume(reason: "delay" | "broker"): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#client.resume();
  }

  #watchSilence(): void {
    const limitMs = (this.#exchange?.keepAliveSeconds ?? Number.POSITIVE_INFINITY) * 1_500;
    if (!this.#shared.limits.endsSilence || !Number.isFinite(limitMs)) return;
    const { clock } = this.#shared;
    this.#later(this.#heardAt + limitMs - clock.now(), () => {
      if (clock.now() - this.#heardAt >= limitMs) this.end("keep-alive timeout");
      else this.#watchSilence();
    });
  }

  #later(delayMs: number, callback: () => void): void {
    const callOff = this.#shared.clock.after(delayMs, () => {
      this.#timers.delete(callOff);
      if (!this.#isOver) callback();
    });
    this.#timers.add(callOff);
  }

  #brokerClosed(): void {
    if (this.#isOver || this.#isFrozen) return;
    this.#close(this.#hasSaidGoodbye ? "client" : "broker");
    this.#client.destroySoon();
  }

  /** Counts the end, whoever brought it about, once. */
  #close(reason: Ending | OtherEnding): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const callOff of this.#timers) callOff();
    this.#judge?.close();
    // Not destroyed: the broker would notice at its first acknowledgement, and not read what it has been sent.
    this.#broker?.resume().end();
    this.#options.onClose(this);
    if (this.#exchange === undefined) return;
    this.#shared.tally.add(this.#shared.tally.counts.ended, reason);
    this.#shared.tally.changed();
  }
}
