import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import type { MqttProperties } from "../sql/message.ts";
import type { IncomingMessage } from "./engine.ts";
import { EngineError } from "./engine-error.ts";
import { RuleFailure } from "./rule.ts";
import type { Delivery } from "./services/receipt-table.ts";

export interface BrokerOptions {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
  /** Names the session in which the broker keeps what arrives while the engine is away. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM: who signed the broker's certificate, where it is no public authority; certificate and key for mutual TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly topicFilters: readonly string[];
  /** Filters that the session may still hold from a template before: it would go on to bring their messages. */
  readonly staleTopicFilters?: readonly string[];
  /** Resolves when the message may be acknowledged, rejects when nobody has it, with a `RuleFailure` that says for how long. */
  readonly accept: (message: IncomingMessage, delivery?: Delivery) => Promise<void>;
  readonly log: (line: string) => void;
  /** Seconds between packets at most, 60 by default. */
  readonly keepalive?: number;
  /** Milliseconds before a broker is asked again for messages that could not be kept (a full disk); 2,000 by default. */
  readonly askAgainMs?: number;
}

/** CONNACK: "unsupported protocol version" of MQTT 5, "unacceptable protocol version" of MQTT 3.1.1. */
const wrongVersionCodes = new Set([0x84, 0x01]);

/**
 * Takes a broker's messages and acknowledges each when it is safe.
 *
 * `mqtt` acknowledges when a message's handler calls back and reads no further packet until then, not even the answer
 * to its ping. Here the handler always returns at once and the PUBACK is sent later, by `#acknowledge`: the one place
 * that uses a private method of the library, which is therefore pinned to an exact version.
 */
export class BrokerConnection implements AsyncDisposable {
  readonly #options: BrokerOptions;
  #client: MqttClient;
  #isStopping = false;
  #unsettled = 0;
  #onSettled: (() => void) | undefined;

  private constructor(options: BrokerOptions, client: MqttClient) {
    this.#options = options;
    this.#client = client;
  }

  /**
   * Connects, with MQTT 5 where the broker has it, and subscribes. Reconnects by itself from then on.
   *
   * @throws {EngineError} `ERR_BROKER`
   */
  static async open(options: BrokerOptions): Promise<BrokerConnection> {
    try {
      return await BrokerConnection.#connect(options, 5);
    } catch (error) {
      if (!wrongVersionCodes.has(Number((error as { readonly code?: unknown }).code))) throw refused(options, error);
      options.log(`${options.url} has no MQTT 5: user properties of messages are not seen`);
      return BrokerConnection.#connect(options, 4).catch((reason) => Promise.reject(refused(options, reason)));
    }
  }

  static async #connect(options: BrokerOptions, protocolVersion: 4 | 5): Promise<BrokerConnection> {
    const client = mqtt.connect(options.url, clientOptions(options, protocolVersion));
    const connection = new BrokerConnection(options, client);
    client.handleMessage = (packet, done) => connection.#take(packet, done);
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
      await connection.#subscribe(protocolVersion);
      isOpen = true;
      return connection;
    } catch (error) {
      await client.endAsync(true);
      throw error;
    }
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

  async #subscribe(protocolVersion: 4 | 5): Promise<void> {
    const { staleTopicFilters = [] } = this.#options;
    if (staleTopicFilters.length > 0) await this.#client.unsubscribeAsync([...staleTopicFilters]);
    for (const filter of this.#options.topicFilters) {
      // Topic rules are not given retained messages when they are made: `rh: 2` asks for none (MQTT 5 §3.8.3.1).
      const options = protocolVersion === 5 ? ({ qos: 1, rh: 2 } as const) : ({ qos: 1 } as const);
      const [grant] = await this.#client.subscribeAsync(filter, options).catch((error) => {
        throw new Error(`the broker refuses a subscription to ${filter}: ${error.message}`, { cause: error });
      });
      if (grant === undefined || grant.qos >= 128) throw new Error(`the broker refuses a subscription to ${filter}`);
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
      done();
      if (!isStale) this.#settle(this.#options.accept(messageOf(packet)), undefined);
      return;
    }
    const { stream } = this.#client;
    const delivery = { packetIdentifier: packet.messageId ?? 0, isRedelivery: packet.dup };
    this.#settle(this.#options.accept(messageOf(packet), delivery), () => {
      // A packet identifier belongs to its connection: on a later one it would acknowledge another message.
      if (this.#client.stream === stream && this.#client.connected) this.#acknowledge(packet);
    });
    done(withheld);
  }

  #settle(accepted: Promise<void>, acknowledge: (() => void) | undefined): void {
    this.#unsettled += 1;
    accepted
      .then(acknowledge, (error) => {
        const isLost = error instanceof RuleFailure && !error.isRetryable;
        this.#options.log(`${isLost ? "lost" : "not taken"}: ${error instanceof Error ? error.message : error}`);
        // What can never be taken would come again with every connection, and all others with it.
        if (isLost) acknowledge?.();
        else if (acknowledge !== undefined) this.#askAgain();
      })
      .finally(() => {
        this.#unsettled -= 1;
        if (this.#unsettled === 0) this.#onSettled?.();
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

/** `mqtt` sends no PUBACK for a message whose handler failed, and goes on. */
const withheld = new Error("acknowledged later");

function clientOptions(options: BrokerOptions, protocolVersion: 4 | 5): IClientOptions {
  const { clientId, username, password, tls } = options;
  return {
    protocolVersion,
    clientId,
    // The broker keeps the session, and with it what arrives meanwhile, for as long as it allows.
    clean: false,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 0xffff_ffff, receiveMaximum: 65_535 } } : {}),
    reconnectPeriod: 1_000,
    // A broker that starts, or is full, may refuse a connection and take the next one.
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    keepalive: options.keepalive ?? 60,
    resubscribe: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tls,
  };
}

function messageOf({ topic, payload, properties }: IPublishPacket): IncomingMessage {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (properties === undefined) return { topic, payload: bytes };
  return { topic, payload: bytes, ...propertiesOf(properties) };
}

function propertiesOf(properties: NonNullable<IPublishPacket["properties"]>): Partial<IncomingMessage> {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  const mqttProperties: MqttProperties = {
    payloadFormatIndicator: payloadFormatIndicator ? "UTF8_DATA" : "UNSPECIFIED_BYTES",
    contentType,
    responseTopic,
    correlationData: correlationData?.toString("base64"),
  };
  if (userProperties === undefined) return { mqttProperties };
  return {
    mqttProperties,
    userProperties: Object.entries(userProperties).flatMap(([key, values]) =>
      [values].flat().map((value): readonly [string, string] => [key, value]),
    ),
  };
}

function refused({ url }: BrokerOptions, error: unknown): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError("ERR_BROKER", `${url}: ${reason}`, { cause: error });
}
