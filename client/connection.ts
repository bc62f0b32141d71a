import type { Socket } from "node:net";
import mqtt, { type IPublishPacket, type MqttClient, type Packet } from "mqtt";
import type { BrokerUrl } from "./broker-url.ts";
import { ClientError } from "./client-error.ts";
import type { ClientOptions, Qos } from "./client-options.ts";
import { type Message, messageOf } from "./message.ts";
import { mqttOptions, publishOptions } from "./mqtt-options.ts";
import type { Outgoing } from "./outbox.ts";

/** How long a broker may take to hear the goodbye. */
const goodbyeMs = 1_000;

export interface ConnectionOptions {
  readonly broker: BrokerUrl;
  readonly client: ClientOptions;
  readonly clientId: string;
  readonly protocolVersion: 4 | 5;
  /** @param identifiers Of the subscriptions that the broker gives the message for, where it says so. */
  readonly take: (message: Message, identifiers: readonly number[]) => void;
}

/** One network connection, from CONNACK to its end, by an `mqtt` client of its own that never makes another one. */
export class Connection {
  readonly protocolVersion: 4 | 5;
  readonly #address: string;
  readonly #mqtt: MqttClient;
  readonly #lost = Promise.withResolvers<ClientError>();
  readonly #pings = new Set<(isAnswered: boolean) => void>();
  /** By packet identifier. */
  readonly #subscribing = new Map<number, (codes: readonly number[] | undefined) => void>();
  readonly #drains = new Set<() => void>();
  #isLost = false;
  #reason: ClientError | undefined;
  #lastHeardAt = Date.now();

  private constructor({ broker, client, clientId, protocolVersion, take }: ConnectionOptions) {
    this.protocolVersion = protocolVersion;
    this.#address = broker.address;
    this.#mqtt = mqtt.connect(broker.url, mqttOptions(broker, client, { clientId, protocolVersion }));
    this.#mqtt.on("message", (topic, payload, packet) => {
      take(messageOf(topic, payload, packet), identifiersOf(packet));
    });
    this.#mqtt.on("packetreceive", (packet) => this.#hear(packet));
    this.#mqtt.on("error", (error: Error & { readonly code?: unknown }) => {
      this.#reason ??= this.#failure(error);
    });
    this.#mqtt.on("close", () => this.#close());
  }

  /**
   * Resolves when the broker has accepted the connection.
   *
   * @throws {ClientError} `CLIENT_UNREACHABLE`, `CLIENT_REFUSED`, `CLIENT_TIMEOUT`
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    const accepted = new Promise<undefined>((resolve) => connection.#mqtt.once("connect", () => resolve(undefined)));
    const reason = await Promise.race([accepted, connection.lost]);
    if (reason === undefined) {
      // Otherwise a packet waits until the broker's kernel has acknowledged the one before: 40 ms, where it says nothing.
      (connection.#mqtt.stream as Partial<Socket>).setNoDelay?.(true);
      return connection;
    }
    if (reason.code !== "CLIENT_DISCONNECTED") throw reason;
    throw new ClientError("CLIENT_UNREACHABLE", reason.message, { cause: reason.cause });
  }

  /** Resolves with the reason when the connection has ended. */
  get lost(): Promise<ClientError> {
    return this.#lost.promise;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Milliseconds since 1970, by the clock on the wall: it goes on while the process is frozen. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** Seconds, as the broker wants it. */
  get keepAliveSeconds(): number {
    return this.#mqtt.keepalive ?? 0;
  }

  /** QoS 1 messages that the broker takes without having acknowledged one (MQTT 5 §3.2.2.3.3). */
  get receiveMaximum(): number {
    return this.#mqtt.serverProperties?.receiveMaximum ?? 65_535;
  }

  /** Whether the broker says which subscriptions it gives a message for (MQTT 5 §3.8.2.1.2). */
  get hasIdentifiers(): boolean {
    return this.protocolVersion === 5 && this.#mqtt.serverProperties?.subscriptionIdentifiersAvailable !== false;
  }

  /** Whether some of what was written has not left the process. */
  get hasUnsent(): boolean {
    return this.#mqtt.stream.writableLength > 0;
  }

  /** Sends a message; `done` is called later, at the PUBACK or when it is written, and not at all if the connection is lost. */
  publish(outgoing: Outgoing, done: (error?: ClientError) => void): void {
    const { topic, qos } = outgoing;
    const payload = asMqttPayload(outgoing.payload);
    const problem = this.#sizeProblem(topic, payload);
    if (problem !== undefined) {
      queueMicrotask(() => done(problem));
      return;
    }
    const options = publishOptions(outgoing);
    if (qos === 0) {
      // `mqtt` would add a listener to the socket for each message that waits for it.
      this.#mqtt.publish(topic, payload, options);
      this.#whenWritten(done);
      return;
    }
    this.#mqtt.publish(topic, payload, options, (error) => {
      if (error == null) done();
      else if (reasonCodeOf(error) !== undefined) done(this.#refusal(`a message on ${topic}`, error));
    });
  }

  /**
   * The broker's reason codes, one for each filter; undefined where the connection is lost before. `answered` is called
   * before any packet that came behind the SUBACK is looked at, which a promise could not.
   */
  subscribe(
    filters: readonly string[],
    { qos, identifier }: { readonly qos: Qos; readonly identifier: number },
    answered: (codes: readonly number[] | undefined) => void,
  ): void {
    if (this.#isLost) {
      answered(undefined);
      return;
    }
    const properties = this.hasIdentifiers ? { properties: { subscriptionIdentifier: identifier } } : {};
    this.#mqtt.subscribe([...filters], { qos, ...properties }, () => {});
    this.#subscribing.set(this.#mqtt.getLastMessageId(), answered);
  }

  /** There is nothing to wait for: the broker handles the packets of a connection in their order. */
  unsubscribe(filters: readonly string[]): void {
    this.#mqtt.unsubscribe([...filters], () => {});
  }

  /** Whether the broker answers a ping in time. */
  ping(withinMs: number): Promise<boolean> {
    if (this.#isLost) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (isAnswered: boolean) => {
        clearTimeout(timer);
        this.#pings.delete(settle);
        resolve(isAnswered);
      };
      const timer = setTimeout(() => settle(false), withinMs);
      this.#pings.add(settle);
      this.#mqtt.sendPing();
    });
  }

  /** Ends the connection without a goodbye, and what was written and has not left the process with it. */
  cut(problem: string): void {
    this.#reason ??= new ClientError("CLIENT_DISCONNECTED", `${this.#address}: ${problem}`);
    this.#mqtt.stream.destroy();
  }

  /** Says goodbye, so that the broker publishes no will. */
  async end(): Promise<void> {
    if (this.#isLost) return;
    // `mqtt` would first wait until everything is acknowledged.
    for (const id of Object.keys(this.#mqtt.outgoing)) this.#mqtt.removeOutgoingMessage(Number(id));
    const impatience = setTimeout(() => this.#mqtt.stream.destroy(), goodbyeMs);
    this.#mqtt.end();
    await this.lost;
    clearTimeout(impatience);
  }

  #hear(packet: Packet): void {
    this.#lastHeardAt = Date.now();
    if (packet.cmd === "disconnect") this.#reason ??= this.#dismissal(packet.reasonCode);
    if (packet.cmd === "pingresp") for (const settle of this.#pings) settle(true);
    if (packet.cmd === "suback") this.#settleSubscribe(packet);
  }

  #close(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const settle of this.#pings) settle(false);
    this.#drains.clear();
    for (const answered of this.#subscribing.values()) answered(undefined);
    this.#subscribing.clear();
    this.#lost.resolve(
      this.#reason ?? new ClientError("CLIENT_DISCONNECTED", `${this.#address}: the connection was closed`),
    );
  }

  #settleSubscribe({ messageId, granted }: Packet & { readonly cmd: "suback" }): void {
    const answered = this.#subscribing.get(messageId ?? 0);
    this.#subscribing.delete(messageId ?? 0);
    answered?.(granted as readonly number[]);
  }

  #whenWritten(done: () => void): void {
    const { stream } = this.#mqtt;
    if (!stream.writableNeedDrain) {
      queueMicrotask(done);
      return;
    }
    if (this.#drains.size === 0) {
      stream.once("drain", () => {
        const waiting = [...this.#drains];
        this.#drains.clear();
        for (const each of waiting) each();
      });
    }
    this.#drains.add(done);
  }

  /** A broker ends the connection for a packet that is larger than it said it takes. */
  #sizeProblem(topic: string, payload: Buffer | string): ClientError | undefined {
    const limit = this.#mqtt.serverProperties?.maximumPacketSize;
    if (limit === undefined || Buffer.byteLength(payload) + Buffer.byteLength(topic) <= limit) return undefined;
    const problem = `a message of ${Buffer.byteLength(payload)} bytes on ${topic}, the broker takes ${limit}`;
    return new ClientError("CLIENT_REFUSED", problem, { reasonCode: packetTooLarge });
  }

  #refusal(what: string, error: Error): ClientError {
    const options = { cause: error, reasonCode: reasonCodeOf(error) };
    return new ClientError("CLIENT_REFUSED", `${this.#address} refuses ${what}: ${error.message}`, options);
  }

  #failure(error: Error): ClientError {
    // `mqtt` has CONNACK's reason codes as numbers, Node its errors' codes as words.
    if (reasonCodeOf(error) !== undefined) return this.#refusal("the connection", error);
    const code = error.message === "connack timeout" ? "CLIENT_TIMEOUT" : "CLIENT_DISCONNECTED";
    return new ClientError(code, `${this.#address}: ${error.message}`, { cause: error });
  }

  #dismissal(reasonCode = 0): ClientError {
    const problem = `the broker ended the connection (reason 0x${reasonCode.toString(16)})`;
    return new ClientError("CLIENT_DISCONNECTED", `${this.#address}: ${problem}`, { reasonCode });
  }
}

const packetTooLarge = 0x95;

function identifiersOf({ properties }: IPublishPacket): readonly number[] {
  // `mqtt` has one as a number and several as an array, whatever its types say.
  const identifiers: number | readonly number[] | undefined = properties?.subscriptionIdentifier;
  return identifiers === undefined ? none : [identifiers].flat();
}

const none: readonly number[] = [];

function reasonCodeOf(error: Error): number | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "number" ? code : undefined;
}

function asMqttPayload(payload: Uint8Array | string): Buffer | string {
  if (typeof payload === "string" || Buffer.isBuffer(payload)) return payload;
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
