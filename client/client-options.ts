import type { Message, MessageProperties } from "./message.ts";

/** AWS IoT Core has no QoS 2, and neither has this client. */
export type Qos = 0 | 1;

/** What the broker publishes for a client whose connection ends without a goodbye. */
export interface Will extends MessageProperties {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  /** 1 by default. */
  readonly qos?: Qos;
  readonly isRetained?: boolean;
}

export interface ClientOptions {
  /** Unique at the broker: a second client with the same one ends the first. Made up by default. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM: who signed the broker's certificate, where it is no public authority; certificate and key for mutual TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** By default 5, and 4 (MQTT 3.1.1) where the broker has no MQTT 5. */
  readonly protocolVersion?: 4 | 5;
  /** Seconds without a packet after which each side wants to hear of the other; 30 by default. */
  readonly keepAliveSeconds?: number;
  /** Whether a lost connection is made again; true by default. */
  readonly isReconnecting?: boolean;
  /**
   * Between attempts to connect, by full jitter: the first waits up to `minMs`, each further one up to twice as long as
   * the one before, up to `maxMs`. 1,000 and 30,000 by default.
   */
  readonly reconnectDelay?: { readonly minMs: number; readonly maxMs: number };
  /** Milliseconds from the start of a connection to the broker's CONNACK; 5,000 by default. */
  readonly connectTimeoutMs?: number;
  readonly will?: Will;
  /**
   * Whether the broker forgets the session when the connection ends; true by default. Otherwise it keeps the
   * subscriptions of this `clientId` and what arrives for them at QoS 1 meanwhile.
   */
  readonly isClean?: boolean;
  /** Takes messages of subscriptions that nobody here has made (yet): those of a session that outlived its process. */
  readonly onUnclaimed?: (message: Message) => void;
  /** QoS 1 messages without a PUBACK at one time, or fewer where the broker says so (MQTT 5); 1,000 by default. */
  readonly maxInFlight?: number;
}

export interface PublishOptions {
  /** 1 by default. */
  readonly qos?: Qos;
  readonly isRetained?: boolean;
  /** Milliseconds to the broker's PUBACK, connecting again included; 10,000 by default. */
  readonly timeoutMs?: number;
  /** Left out where the broker has MQTT 3.1.1 only. */
  readonly properties?: PublishProperties;
}

export interface PublishProperties extends MessageProperties {
  /** Seconds after which the broker drops what it could not deliver. */
  readonly messageExpirySeconds?: number;
}

export interface ReceiveOptions {
  /** Milliseconds from the call to the message. */
  readonly timeoutMs: number;
  /** The highest that messages are delivered with; 1 by default. */
  readonly qos?: Qos;
}

export interface RequestOptions {
  /** Where the answer is expected: a topic name. */
  readonly replyTopic: string;
  /** Milliseconds from the call to the reply. */
  readonly timeoutMs: number;
  /**
   * How the request's id goes out. `properties`: response topic, correlation data and user property `commandId` of
   * MQTT 5, the payload as it is. `envelope`: `{"header":{"commandId":…},"body":…}`, which a device with MQTT 3.1.1 can
   * answer too. By default `properties` where the connection has MQTT 5.
   */
  readonly form?: "properties" | "envelope";
}

export interface SubscribeOptions {
  /** The highest that messages are delivered with; 1 by default. */
  readonly qos?: Qos;
  /** Milliseconds to the broker's SUBACK, connecting again included; 10,000 by default. */
  readonly timeoutMs?: number;
}

export interface SubscriptionOptions extends SubscribeOptions {
  /** Messages that wait to be read at one time; 1,000 by default. One more ends the subscription with an error. */
  readonly maxBuffered?: number;
}

export interface ListenOptions extends SubscribeOptions {
  /** Told once where the listening ends by something else than its disposal or the client's. */
  readonly onEnd?: (error: Error) => void;
}
