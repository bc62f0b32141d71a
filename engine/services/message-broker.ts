import type { MqttProperties } from "../../sql/message.ts";

/** A message on its way to the broker. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly isRetained: boolean;
  /** MQTT 5; left out where the broker has none. */
  readonly properties?: {
    readonly mqtt: Partial<MqttProperties>;
    /** In the order sent; a name may come more than once. */
    readonly user: readonly (readonly [string, string])[];
    readonly messageExpirySeconds: number | undefined;
  };
}

/** What a broker keeps for those who subscribe later. */
export interface RetainedMessage {
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly userProperties: readonly (readonly [string, string])[];
}

/** The broker that stands in for IoT Core's. */
export interface MessageBroker {
  /**
   * Resolves when the broker has acknowledged a message of QoS 1, or one of QoS 0 is sent. A message that is given up
   * is not sent later.
   *
   * @throws {BrokerFailure}
   */
  publish(message: OutgoingMessage): Promise<void>;
  /**
   * The retained message of a topic, undefined where there is none.
   *
   * @throws {BrokerFailure}
   */
  readRetained(topic: string): Promise<RetainedMessage | undefined>;
}

/** The broker is away, or says no. */
export class BrokerFailure extends Error {
  override readonly name = "BrokerFailure";
  /** Whether the broker has refused, so that the same message will not be taken later either. */
  readonly isRefusal: boolean;

  constructor(message: string, isRefusal: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isRefusal = isRefusal;
  }
}
