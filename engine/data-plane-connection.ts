import mqtt, { type IClientOptions, type IClientPublishOptions, type IPublishPacket, type MqttClient } from "mqtt";
import type { BrokerOptions } from "./broker-connection.ts";
import {
  BrokerFailure,
  type MessageBroker,
  type OutgoingMessage,
  type RetainedMessage,
} from "./services/message-broker.ts";

export type DataPlaneOptions = Pick<BrokerOptions, "url" | "clientId" | "username" | "password" | "tls"> & {
  /** Milliseconds for what is asked of the broker; 5,000 by default. */
  readonly timeoutMs?: number;
};

const defaultTimeoutMs = 5_000;

/** CONNACK: "unsupported protocol version" of MQTT 5, "unacceptable protocol version" of MQTT 3.1.1. */
const wrongVersionCodes = new Set([0x84, 0x01]);

/**
 * What IoT Core's data plane, and rules that republish, ask of the broker: a connection beside the engine's own, made
 * when it is first wanted.
 *
 * The engine's own outlives everything: the broker keeps its session, and `mqtt` sends again on a later connection what
 * was not acknowledged on this one. Here a message that is given up has to stay given up, since a newer one may have
 * taken its place, and a subscription ends with its connection. So this session is clean and is never made again: a
 * lost connection fails what waits, and the next call opens another one.
 */
export class DataPlaneConnection implements MessageBroker, AsyncDisposable {
  readonly #options: DataPlaneOptions;
  #client: Promise<MqttClient> | undefined;
  /** The same, once it is there. */
  #open: MqttClient | undefined;
  #isDisposed = false;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
  }

  async publish(message: OutgoingMessage): Promise<void> {
    const { topic, payload, qos, isRetained } = message;
    await this.#ask(async (client) => {
      const properties = client.options.protocolVersion === 5 ? propertiesOf(message) : {};
      await client.publishAsync(topic, Buffer.from(payload), { qos, retain: isRetained, ...properties });
    });
  }

  /** A broker sends what it retains when it grants a subscription: before it acknowledges the subscription's end. */
  async readRetained(topic: string): Promise<RetainedMessage | undefined> {
    return await this.#ask(async (client) => {
      let found: RetainedMessage | undefined;
      const listen = (name: string, payload: Buffer, packet: IPublishPacket) => {
        if (packet.retain && name === topic) found = retainedOf(payload, packet);
      };
      client.on("message", listen);
      try {
        await client.subscribeAsync(topic, { qos: 1 });
        await client.unsubscribeAsync(topic);
      } finally {
        client.off("message", listen);
      }
      return found;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const client = await this.#client?.catch(() => undefined);
    await client?.endAsync(true);
  }

  async #ask<Result>(work: (client: MqttClient) => Promise<Result>): Promise<Result> {
    const { url, timeoutMs = defaultTimeoutMs } = this.#options;
    const client = await this.#connected();
    const { promise, reject } = Promise.withResolvers<never>();
    const onClose = () => reject(new Error("the broker closed the connection"));
    const limit = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    client.once("close", onClose);
    try {
      return await Promise.race([work(client), promise]);
    } catch (error) {
      const isRefusal = isNo(error);
      // What was not acknowledged might be yet: not once this connection is no more.
      if (!isRefusal) this.#leave(client);
      throw failed(url, error, isRefusal);
    } finally {
      clearTimeout(limit);
      client.off("close", onClose);
    }
  }

  #connected(): Promise<MqttClient> {
    if (this.#isDisposed) return Promise.reject(new BrokerFailure("the engine stopped", false));
    this.#client ??= this.#connect(5).catch((error) => {
      this.#client = undefined;
      throw failed(this.#options.url, error, false);
    });
    return this.#client;
  }

  async #connect(protocolVersion: 4 | 5): Promise<MqttClient> {
    try {
      const client = await mqtt.connectAsync(this.#options.url, clientOptions(this.#options, protocolVersion), false);
      client.on("error", () => {});
      // One for each that is under way.
      client.setMaxListeners(0);
      client.once("close", () => this.#leave(client));
      this.#open = client;
      return client;
    } catch (error) {
      const isOld = wrongVersionCodes.has(Number((error as { readonly code?: unknown }).code));
      if (!isOld || protocolVersion === 4) throw error;
      return await this.#connect(4);
    }
  }

  #leave(client: MqttClient): void {
    client.end(true);
    // Another one may have taken its place.
    if (client !== this.#open) return;
    this.#open = undefined;
    this.#client = undefined;
  }
}

function clientOptions(options: DataPlaneOptions, protocolVersion: 4 | 5): IClientOptions {
  const { clientId, username, password, tls, timeoutMs = defaultTimeoutMs } = options;
  return {
    protocolVersion,
    clientId,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: timeoutMs,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tls,
  };
}

function propertiesOf({ properties }: OutgoingMessage): Pick<IClientPublishOptions, "properties"> {
  if (properties === undefined) return {};
  const { mqtt: given, user, messageExpirySeconds } = properties;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData } = given;
  const userProperties: Record<string, string[]> = Object.create(null);
  for (const [name, value] of user) userProperties[name] = [...(userProperties[name] ?? []), value];
  return {
    properties: {
      ...(payloadFormatIndicator === undefined
        ? {}
        : { payloadFormatIndicator: payloadFormatIndicator === "UTF8_DATA" }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, "base64") }),
      ...(messageExpirySeconds === undefined ? {} : { messageExpiryInterval: messageExpirySeconds }),
      ...(user.length === 0 ? {} : { userProperties }),
    },
  };
}

function retainedOf(payload: Buffer, { qos, properties }: IPublishPacket): RetainedMessage {
  const userProperties = Object.entries(properties?.userProperties ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value): readonly [string, string] => [name, value]),
  );
  return { payload, qos: qos === 0 ? 0 : 1, userProperties };
}

/** A reason code of MQTT 5 from 0x80 on: the broker has the message and will not have it. */
function isNo(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "number" && code >= 0x80;
}

function failed(url: string, error: unknown, isRefusal: boolean): BrokerFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return new BrokerFailure(`${withoutCredentials(url)}: ${reason}`, isRefusal, { cause: error });
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
