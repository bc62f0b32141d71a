import { randomBytes } from "node:crypto";
import type { Client } from "../../client/client.ts";
import { connect } from "../../client/connect.ts";
import { BrokerLink } from "./broker-link.ts";
import { type BrokerSecrets, createBrokerSecrets, type SecretsOptions } from "./broker-secrets.ts";
import { isForWantOfSecrets, isLoss, openingErrorOf, publishErrorOf } from "./client-failure.ts";
import type {
  CommandPublisher,
  HeardMessage,
  Listening,
  OutgoingMessage,
  PublishOptions,
} from "./command-publisher.ts";
import { checkSize } from "./limits.ts";
import { PublishError } from "./publish-error.ts";

/** The URL is `mqtt://host:port` or `mqtts://host:port`, with `user:password@` where no secret has them. */
export interface MqttPublisherOptions extends SecretsOptions {
  /** Seconds, 30 by default. After half of it in silence the broker is asked whether it is there before a publish. */
  readonly keepAliveSeconds?: number;
}

/** From the first packet to the broker's CONNACK. */
const connectTimeoutMs = 5_000;

/**
 * Publishes to a broker by MQTT, 5 or 3.1.1, over one connection that is kept across invocations.
 *
 * The connection of a message that was given up is given up with it. Each further one has the same client id: before
 * the broker takes it, it ends the one before (MQTT 5 §3.1.4), and what of that was still under way in the network
 * cannot come in behind what is published now.
 */
export class MqttPublisher implements CommandPublisher {
  readonly name: string;
  readonly #options: MqttPublisherOptions;
  // 23 characters, as many as a broker with MQTT 3.1.1 has to take (§3.1.3.1).
  readonly #clientId = `trestle-push-${randomBytes(5).toString("hex")}`;
  readonly #secrets: (isFresh?: boolean) => Promise<BrokerSecrets>;
  readonly #link = new BrokerLink(() => this.#open());

  constructor(options: MqttPublisherOptions) {
    this.name = options.name;
    this.#options = options;
    this.#secrets = createBrokerSecrets(options);
  }

  async publish(message: OutgoingMessage, { timeoutMs }: PublishOptions): Promise<void> {
    checkSize(this.name, message);
    const { topic, payload, isRetained, messageExpirySeconds } = message;
    const properties = messageExpirySeconds === undefined ? {} : { properties: { messageExpirySeconds } };
    await this.#inTime(timeoutMs, (client, leftMs) =>
      client.publish(topic, payload, { isRetained, timeoutMs: leftMs, ...properties }),
    );
  }

  /** There is none where the broker answers a ping behind the SUBSCRIBE and has given none: it keeps their order. */
  async readRetained(topic: string, { timeoutMs }: PublishOptions): Promise<Uint8Array | undefined> {
    const read = (client: Client, leftMs: number) => client.readRetained(topic, { timeoutMs: leftMs });
    const message = await this.#inTime(timeoutMs, read);
    return message?.payload;
  }

  async listen(
    topic: string,
    onMessage: (message: HeardMessage) => void,
    { timeoutMs }: PublishOptions,
  ): Promise<Listening> {
    return await this.#inTime(timeoutMs, (client, leftMs) =>
      client.listen(topic, (message) => !message.isRetained && onMessage(message), { timeoutMs: leftMs }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }

  async #inTime<Result>(timeoutMs: number, work: (client: Client, leftMs: number) => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + timeoutMs;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const client = await this.#link.get(signal);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new DOMException("no time is left", "TimeoutError");
      return await work(client, leftMs).catch((error: unknown) => {
        if (isLoss(error)) this.#link.discard(client);
        throw error;
      });
    } catch (error) {
      if (!(error instanceof DOMException)) throw publishErrorOf(this.name, error);
      const message = `no answer within ${timeoutMs} ms`;
      throw new PublishError("BROKER_TIMEOUT", this.name, message, { cause: error });
    }
  }

  async #open(): Promise<Client> {
    const secrets = await this.#secrets();
    try {
      return await this.#connect(secrets).catch(async (error: unknown) => {
        if (!isForWantOfSecrets(error)) throw error;
        const fresh = await this.#secrets(true);
        if (JSON.stringify(fresh) === JSON.stringify(secrets)) throw error;
        return await this.#connect(fresh);
      });
    } catch (error) {
      throw openingErrorOf(this.name, error);
    }
  }

  #connect({ ca, ...credentials }: BrokerSecrets): Promise<Client> {
    const { url, keepAliveSeconds = 30 } = this.#options;
    return connect(url, {
      ...{ clientId: this.#clientId, keepAliveSeconds, connectTimeoutMs, isReconnecting: false },
      ...credentials,
      ...(ca === undefined ? {} : { tls: { ca } }),
    });
  }
}
