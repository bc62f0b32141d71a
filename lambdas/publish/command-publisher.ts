/** A message on its way to a broker, always at QoS 1. */
export interface OutgoingMessage {
  readonly topic: string;
  /** Zero bytes and `isRetained` take the topic's retained message away. */
  readonly payload: Uint8Array;
  readonly isRetained: boolean;
  /** Seconds after which a broker with MQTT 5 drops what it could not deliver; 1 to 604,800. */
  readonly messageExpirySeconds?: number;
}

export interface PublishOptions {
  /** Milliseconds from the call to the broker's acknowledgement. */
  readonly timeoutMs: number;
}

/** What arrives on a topic that somebody listens to. */
export interface HeardMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** In the order sent; absent for MQTT 3.1.1. */
  readonly userProperties?: readonly (readonly [string, string])[];
  readonly contentType?: string;
}

/** A subscription; its disposal ends it. */
export type Listening = AsyncDisposable;

/**
 * One broker that commands are published to. Its adapters, `mqtt-publisher.ts` and `data-plane-publisher.ts`, share a
 * suite of tests.
 */
export interface CommandPublisher extends AsyncDisposable {
  /** The broker's name in the ledger: `broker.example.com:8883`, or `aws-iot`. */
  readonly name: string;
  /**
   * Resolves when the broker has acknowledged the message. A message that is given up is never sent later.
   *
   * @throws {PublishError}
   */
  publish(message: OutgoingMessage, options: PublishOptions): Promise<void>;
  /**
   * The retained message of a topic, undefined where there is none.
   *
   * @throws {PublishError}
   */
  readRetained(topic: string, options: PublishOptions): Promise<Uint8Array | undefined>;
  /**
   * Resolves when the broker has granted the subscription; undefined where this way cannot hear. A listener is told of
   * what arrives from then on until it is disposed; a lost connection ends the listening in silence.
   *
   * @throws {PublishError}
   */
  listen(
    topic: string,
    onMessage: (message: HeardMessage) => void,
    options: PublishOptions,
  ): Promise<Listening | undefined>;
}
