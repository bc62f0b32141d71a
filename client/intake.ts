import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { ClientError } from "./client-error.ts";
import type { Qos } from "./client-options.ts";

/** A message of QoS 1 as a broker delivers it. */
export interface Delivery {
  /** Names the delivery until the broker has read the acknowledgement (MQTT 5 §2.2.1). */
  readonly packetIdentifier: number;
  /** DUP: the broker has sent it before, on this connection or on one before. */
  readonly isRedelivery: boolean;
}

export interface IntakeSubscription {
  readonly filter: string;
  readonly qos: Qos;
  /** What a message brings that the broker sends for this filter (MQTT 5 §3.8.2.1.2), where the broker has it. */
  readonly identifier?: number;
}

export interface IntakeOptions {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
  /** Names the session in which the broker keeps what arrives while nobody takes it. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM: who signed the broker's certificate, where it is no public authority; certificate and key for mutual TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly subscriptions: readonly IntakeSubscription[];
  /** Filters that the session may still hold from a run before: it would go on to bring their messages. */
  readonly staleTopicFilters?: readonly string[];
  /** Resolves when the message may be acknowledged, rejects when nobody has it. */
  readonly accept: (packet: IPublishPacket, delivery?: Delivery) => Promise<void>;
  /** Whether a message that was not accepted never can be: it is acknowledged then, and gone. Never so by default. */
  readonly isLost?: (error: unknown) => boolean;
  /**
   * What is taken and not acknowledged at most: nothing further is read from the broker until there is room. By default as
   * much as there is.
   */
  readonly limit?: { readonly messages: number; readonly bytes: number };
  readonly log: (line: string) => void;
  /**
   * Seconds between packets at most, 60 by default; 0 for none, which a `limit` asks for: while nothing is read, the answer to
   * a ping is not either.
   */
  readonly keepAliveSeconds?: number;
  /** Milliseconds before a lost connection is made again; 1,000 by default. */
  readonly reconnectMs?: number;
  /** Milliseconds before a broker is asked again for messages that could not be kept; 2,000 by default. */
  readonly askAgainMs?: number;
}

/** CONNACK: "unsupported protocol version" of MQTT 5, "unacceptable protocol version" of MQTT 3.1.1. */
const wrongVersionCodes = new Set([0x84, 0x01]);

/**
 * Takes a broker's messages over a session that outlives the connection, and acknowledges each when it is safe.
 *
 * `mqtt` acknowledges when a message's handler calls back and reads no further packet until then, not even the answer
 * to its ping. Here the handler always returns at once and the PUBACK is sent later, by `#acknowledge`: the one place
 * that uses a private method of the library, which is therefore pinned to an exact version.
 */
export class Intake implements AsyncDisposable {
  readonly #options: IntakeOptions;
  readonly #client: MqttClient;
  readonly #protocolVersion: 4 | 5;
  #subscribed = Promise.resolve();
  #isStopping = false;
  #unsettled = 0;
  #unsettledBytes = 0;
  /** Has `mqtt` read on. */
  #readOn: (() => void) | undefined;
  #onSettled: (() => void) | undefined;

  private constructor(options: IntakeOptions, client: MqttClient, protocolVersion: 4 | 5) {
    this.#options = options;
    this.#client = client;
    this.#protocolVersion = protocolVersion;
  }

  /**
   * Connects, with MQTT 5 where the broker has it, and subscribes. Reconnects by itself from then on.
   *
   * @throws {ClientError} `CLIENT_UNREACHABLE`
   */
  static async open(options: IntakeOptions): Promise<Intake> {
    const intake = await Intake.#connectAs5Or4(options);
    try {
      await intake.#subscribe();
      return intake;
    } catch (error) {
      await intake[Symbol.asyncDispose]();
      throw unreachable(options, error);
    }
  }

  /**
   * As `open`, and does not wait until the broker has answered the subscriptions: its answers come behind all that the
   * session has kept. `subscribed` does.
   *
   * @throws {ClientError} `CLIENT_UNREACHABLE`
   */
  static async takeUp(options: IntakeOptions): Promise<Intake> {
    const intake = await Intake.#connectAs5Or4(options);
    intake.#subscribed = intake.#subscribeAtLast();
    // Whoever wants to know looks at it later.
    intake.#subscribed.catch(() => {});
    return intake;
  }

  static async #connectAs5Or4(options: IntakeOptions): Promise<Intake> {
    try {
      return await Intake.#connect(options, 5);
    } catch (error) {
      if (!wrongVersionCodes.has(Number((error as { readonly code?: unknown }).code)))
        throw unreachable(options, error);
      options.log(`${options.url} has no MQTT 5: user properties of messages are not seen`);
      return Intake.#connect(options, 4).catch((reason) => Promise.reject(unreachable(options, reason)));
    }
  }

  static async #connect(options: IntakeOptions, protocolVersion: 4 | 5): Promise<Intake> {
    const client = mqtt.connect(options.url, clientOptions(options, protocolVersion));
    const intake = new Intake(options, client, protocolVersion);
    client.handleMessage = (packet, done) => intake.#take(packet, done);
    let isOpen = false;
    client.on("error", (error) => {
      // Before, the caller is told, who may know another way.
      if (isOpen) options.log(`broker: ${error.message}`);
    });
    client.on("reconnect", () => options.log(`broker: connecting to ${options.url} again`));
    try {
      await new Promise<void>((resolve, reject) => {
        client.once("connect", () => resolve());
        client.once("error", reject);
        client.once("close", () => reject(new Error("the broker closed the connection")));
      });
      isOpen = true;
      return intake;
    } catch (error) {
      await client.endAsync(true);
      throw error;
    }
  }

  /** Resolves when the broker has granted all subscriptions; rejects with a `ClientError` where it refuses one. */
  get subscribed(): Promise<void> {
    return this.#subscribed;
  }

  get isConnected(): boolean {
    return this.#client.connected;
  }

  /** Takes no message any more and resolves when those that were taken are acknowledged or given up. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#unsettled > 0) await new Promise<void>((resolve) => (this.#onSettled = resolve));
    await this.#client.endAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await this.#client.endAsync(true);
  }

  /** Over as many connections as it takes. */
  async #subscribeAtLast(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#subscribe();
        return;
      } catch (error) {
        if (error instanceof Refusal) throw unreachable(this.#options, error);
      }
      if (!this.#client.connected) await new Promise<void>((resolve) => this.#client.once("connect", () => resolve()));
    }
  }

  async #subscribe(): Promise<void> {
    const protocolVersion = this.#protocolVersion;
    const { staleTopicFilters = [] } = this.#options;
    if (staleTopicFilters.length > 0) await this.#client.unsubscribeAsync([...staleTopicFilters]);
    const hasIdentifiers = this.#client.serverProperties?.subscriptionIdentifiersAvailable !== false;
    for (const { filter, qos, identifier } of this.#options.subscriptions) {
      const isSaid = identifier !== undefined && hasIdentifiers;
      const properties = isSaid ? { properties: { subscriptionIdentifier: identifier } } : {};
      // Topic rules are not given retained messages when they are made: `rh: 2` asks for none (MQTT 5 §3.8.3.1).
      const options = protocolVersion === 5 ? ({ qos, rh: 2, ...properties } as const) : ({ qos } as const);
      const [grant] = await this.#client.subscribeAsync(filter, options).catch((error) => {
        const message = `the broker refuses a subscription to ${filter}: ${error.message}`;
        throw isLoss(error) ? error : new Refusal(message, { cause: error });
      });
      if (grant === undefined || grant.qos >= 128) throw new Refusal(`the broker refuses a subscription to ${filter}`);
    }
  }

  #take(packet: IPublishPacket, done: (error?: Error) => void): void {
    // A retained message of a broker without `rh`, not one that was sent just now.
    const isStale = packet.retain === true;
    if (this.#isStopping) {
      done(withheld);
      return;
    }
    if (isStale || packet.qos === 0) {
      if (!isStale) this.#settle(this.#options.accept(packet), packet.payload.length, undefined);
      this.#go(() => done());
      return;
    }
    const { stream } = this.#client;
    const delivery = { packetIdentifier: packet.messageId ?? 0, isRedelivery: packet.dup };
    this.#settle(this.#options.accept(packet, delivery), packet.payload.length, () => {
      // A packet identifier belongs to its connection: on a later one it would acknowledge another message.
      if (this.#client.stream === stream && this.#client.connected) this.#acknowledge(packet);
    });
    this.#go(() => done(withheld));
  }

  /** Reads on, at once where there is room. */
  #go(readOn: () => void): void {
    if (this.#isFull) this.#readOn = readOn;
    else readOn();
  }

  get #isFull(): boolean {
    const { limit } = this.#options;
    return limit !== undefined && (this.#unsettled >= limit.messages || this.#unsettledBytes >= limit.bytes);
  }

  #settle(accepted: Promise<void>, bytes: number, acknowledge: (() => void) | undefined): void {
    this.#unsettled += 1;
    this.#unsettledBytes += bytes;
    accepted
      .then(acknowledge, (error) => {
        const isLost = this.#options.isLost?.(error) === true;
        this.#options.log(`${isLost ? "lost" : "not taken"}: ${error instanceof Error ? error.message : error}`);
        // What can never be taken would come again with every connection, and all others with it.
        if (isLost) acknowledge?.();
        else if (acknowledge !== undefined) this.#askAgain();
      })
      .finally(() => {
        this.#unsettled -= 1;
        this.#unsettledBytes -= bytes;
        if (this.#unsettled === 0) this.#onSettled?.();
        if (this.#readOn === undefined || this.#isFull) return;
        const readOn = this.#readOn;
        this.#readOn = undefined;
        readOn();
      });
  }

  #acknowledge({ messageId }: IPublishPacket): void {
    const client = this.#client as unknown as { _sendPacket(packet: object): void };
    client._sendPacket({ cmd: "puback", messageId, reasonCode: 0 });
  }

  /** A broker sends unacknowledged messages again on a new connection, not before (MQTT 5 §4.4). */
  #askAgain(): void {
    const { stream } = this.#client;
    setTimeout(() => {
      if (this.#client.stream === stream && !this.#isStopping) stream.destroy();
    }, this.#options.askAgainMs ?? 2_000).unref();
  }
}

/** A subscription that the broker does not grant. */
class Refusal extends Error {}

/** Whether a call came to nothing because its connection did. */
function isLoss(error: Error): boolean {
  return error.message === "Connection closed" || error.message === "client disconnecting";
}

/** `mqtt` sends no PUBACK for a message whose handler failed, and goes on. */
const withheld = new Error("acknowledged later");

function clientOptions(options: IntakeOptions, protocolVersion: 4 | 5): IClientOptions {
  const { clientId, username, password, tls } = options;
  const receiveMaximum = Math.min(65_535, options.limit?.messages ?? 65_535);
  return {
    protocolVersion,
    clientId,
    // The broker keeps the session, and with it what arrives meanwhile, for as long as it allows.
    clean: false,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 0xffff_ffff, receiveMaximum } } : {}),
    reconnectPeriod: options.reconnectMs ?? 1_000,
    // A broker that starts, or is full, may refuse a connection and take the next one.
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    keepalive: options.keepAliveSeconds ?? 60,
    resubscribe: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tls,
  };
}

function unreachable({ url }: IntakeOptions, error: unknown): ClientError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ClientError("CLIENT_UNREACHABLE", `${url}: ${reason}`, { cause: error });
}
