import { randomUUID } from "node:crypto";
import type { IPublishPacket } from "mqtt";
import { type Delivery, Intake, type IntakeOptions } from "../../client/intake.ts";
import { fingerprintOf, type Receipt } from "../../client/receipts.ts";
import type { FrameMember } from "../../scheme/frame/frame.ts";
import { framesTopic, repliesRoute } from "../../scheme/ingest.ts";
import type { Qos, Scheme } from "../../scheme/scheme.ts";
import { BridgeError } from "../bridge-error.ts";
import { aloneOf, Batcher, type Batching, defaultBatching } from "./batcher.ts";
import { noCounts, type RelayCounts } from "./counts.ts";
import { refusalOf, refusedMembers } from "./guard.ts";
import { memberOf, payloadOf } from "./member.ts";
import { defaultPace, type Pace } from "./pace.ts";
import type { Parcel } from "./parcel.ts";
import { ReceiptFile } from "./receipt-file.ts";
import { type RelaySource, Sources } from "./sources.ts";
import { defaultMaxConnections, Uplink } from "./uplink.ts";
import type { CloudOptions } from "./uplink-connection.ts";

export interface RelayOptions {
  readonly scheme: Scheme;
  /** The broker that devices publish to. */
  readonly local: Pick<IntakeOptions, "url" | "username" | "password" | "tls"> & {
    /** Names the session that keeps what arrives while the relay is away; `trestle-relay` by default. */
    readonly clientId?: string;
  };
  readonly cloud: CloudOptions;
  /** Where the ids of the last messages are kept; made where it is missing. */
  readonly dataFolder: string;
  readonly batching?: Partial<Batching>;
  readonly pace?: Partial<Pace>;
  /** Connections to IoT Core at most, 10 by default. */
  readonly maxConnections?: number;
  readonly scaleEveryMs?: number;
  readonly log: (line: string) => void;
}

const defaultClientId = "trestle-relay";

/**
 * What is held of the broker's at one time: ten connections that each have 2,700 messages on their way, at 9,000 messages a
 * second that each take 0.3 s. Below half of the packet identifiers, which Mosquitto 2.0 gives out twice when it has more in
 * flight.
 */
const heldLimit = { messages: 27_000, bytes: 64 * 1024 * 1024 };

/** A broker that starts again after a crash may not know the session any more: until it does, it keeps nothing for it. */
const reconnectMs = 100;

/** Of QoS 1, taken from the broker and not acknowledged. */
interface Held {
  readonly fingerprint: string;
  readonly done: Promise<void>;
}

/**
 * Takes the routes' messages and the replies from the local broker and publishes them to IoT Core, below its quotas. A message
 * is acknowledged to the broker when IoT Core has acknowledged it: until then it is the broker's, on its disk.
 */
export class Relay implements AsyncDisposable {
  readonly counts: RelayCounts = noCounts();
  readonly #sources: Sources;
  readonly #uplink: Uplink;
  readonly #receiptFile: ReceiptFile;
  readonly #batchers: Readonly<Record<Qos, Batcher>>;
  /** By packet identifier. */
  readonly #held = new Map<number, Held>();
  /** By member; of messages that have not been written to the file yet. */
  readonly #receipts = new WeakMap<FrameMember, Receipt>();
  #intake: Intake | undefined;

  private constructor(options: RelayOptions, framesRuleName: string) {
    const { scheme, cloud, dataFolder, maxConnections = defaultMaxConnections, scaleEveryMs, log } = options;
    this.#sources = new Sources(scheme);
    this.#receiptFile = new ReceiptFile(dataFolder);
    this.#uplink = new Uplink({
      ...{ cloud, maxConnections, log, counts: this.counts },
      pace: { ...defaultPace, ...options.pace },
      ...(scaleEveryMs === undefined ? {} : { scaleEveryMs }),
    });
    const batcher = (qos: Qos) =>
      new Batcher({
        ...defaultBatching,
        ...options.batching,
        qos,
        framesTopic: framesTopic(framesRuleName),
        send: (parcel) => this.#uplink.send(parcel),
        sealed: (members) => this.#remember(members),
      });
    this.#batchers = { 0: batcher(0), 1: batcher(1) };
  }

  /**
   * Connects to the local broker; IoT Core need not be there.
   *
   * @throws {BridgeError} `RELAY_NOT_IN_SCHEME` where the scheme has no relay.
   * @throws {ClientError} where the broker is not there.
   */
  static async start(options: RelayOptions): Promise<Relay> {
    const { scheme, local, log } = options;
    if (scheme.framesRuleName === undefined) {
      const message =
        'the scheme\'s uplink is a bridge, whose rules take no frames; uplink: "relay" in it, and deploy it';
      throw new BridgeError("RELAY_NOT_IN_SCHEME", message);
    }
    const relay = new Relay(options, scheme.framesRuleName);
    try {
      const intake = {
        ...{ clientId: defaultClientId, reconnectMs, keepAliveSeconds: 0, limit: heldLimit, ...local, log },
        subscriptions: relay.#sources.subscriptions,
        accept: (packet: IPublishPacket, delivery?: Delivery) => relay.#accept(packet, delivery),
      };
      relay.#intake = await Intake.takeUp(intake);
      return relay;
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Resolves when the broker has granted the subscriptions, behind what it had kept; rejects with a `ClientError` where it refuses
   * one, which nobody but its configuration can mend.
   */
  get subscribed(): Promise<void> {
    return this.#intake?.subscribed ?? Promise.resolve();
  }

  get isBrokerConnected(): boolean {
    return this.#intake?.isConnected === true;
  }

  get uplink(): Pick<Uplink, "isConnected" | "connections" | "waiting" | "unacknowledged"> {
    return this.#uplink;
  }

  /** Messages of QoS 1 that are taken and not acknowledged. */
  get held(): number {
    return this.#held.size;
  }

  /** Takes no more, and gives what is under way so long to arrive; the broker keeps what does not. */
  async stop(withinMs = 5_000): Promise<void> {
    const stopped = this.#intake?.stop();
    for (const batcher of Object.values(this.#batchers)) batcher.flush();
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    await Promise.race([stopped, isLate]);
    clearTimeout(timer);
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#intake?.[Symbol.asyncDispose]();
    for (const batcher of Object.values(this.#batchers)) batcher[Symbol.dispose]();
    await this.#uplink[Symbol.asyncDispose]();
    this.#receiptFile[Symbol.dispose]();
  }

  /** Resolves when the message may be acknowledged. */
  #accept(packet: IPublishPacket, delivery: Delivery | undefined): Promise<void> {
    this.counts.received += 1;
    const source = this.#sources.find(packet.topic);
    if (source === undefined) {
      // Of a filter that the session still has from a scheme before.
      this.counts.unrouted += 1;
      return Promise.resolve();
    }
    if (delivery === undefined) return this.#pass(memberOf(packet, Date.now()), source);
    const { packetIdentifier, isRedelivery } = delivery;
    const fingerprint = fingerprintOf(packet.topic, payloadOf(packet));
    if (isRedelivery) this.counts.redelivered += 1;
    const held = this.#held.get(packetIdentifier);
    // On a connection before; it is acknowledged on this one.
    if (isRedelivery && held?.fingerprint === fingerprint) return held.done;
    const known = isRedelivery ? this.#receiptFile.find(packetIdentifier, fingerprint) : undefined;
    const member = memberOf(packet, Date.now(), known ?? randomUUID());
    this.#receipts.set(member, { packetIdentifier, fingerprint, id: member.id });
    const done = this.#pass(member, source).finally(() => {
      if (this.#held.get(packetIdentifier)?.done === done) this.#held.delete(packetIdentifier);
    });
    this.#held.set(packetIdentifier, { fingerprint, done });
    return done;
  }

  /** Resolves when IoT Core has the message, or when it is nobody's. */
  #pass(member: FrameMember, source: RelaySource): Promise<void> {
    if (!source.selects(member)) {
      this.counts.filtered += 1;
      return Promise.resolve();
    }
    const refusal = refusalOf(member);
    if (refusal !== undefined) {
      this.counts.refused += 1;
      // QoS 0 has no dead letters.
      if (source.qos === 0) return Promise.resolve();
      const receipt = this.#receipts.get(member);
      const parts = refusedMembers(member, refusal).map((part, index) => {
        if (receipt !== undefined && index === 0) this.#receipts.set(part, receipt);
        return this.#gather(part, source);
      });
      return Promise.all(parts).then(() => {});
    }
    if (source.name !== repliesRoute) return this.#gather(member, source);
    // Somebody waits for it.
    return this.#sending((settle) =>
      this.#uplink.send(aloneOf({ member, ruleName: source.ruleName, settle }, 1, true)),
    );
  }

  #gather(member: FrameMember, { qos, ruleName }: RelaySource): Promise<void> {
    return this.#sending((settle) => this.#batchers[qos].add(member, ruleName, settle), member.refusal === undefined);
  }

  #sending(send: (settle: Parcel["settle"]) => void, isCounted = true): Promise<void> {
    return new Promise((resolve) => {
      send((outcome) => {
        if (isCounted) this.counts[outcome] += 1;
        resolve();
      });
    });
  }

  /** Before they are sent: after that, the relay may be killed at any time. */
  #remember(members: readonly FrameMember[]): void {
    const receipts = members.flatMap((member) => this.#receipts.get(member) ?? []);
    this.#receiptFile.write(receipts);
  }
}
