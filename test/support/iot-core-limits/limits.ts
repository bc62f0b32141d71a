/**
 * What AWS IoT Core bounds on a connection. `Infinity` and `false` switch a limit off. Each is as documented on a page
 * of `limitPages`; KB are read as 1,024 bytes.
 */
export interface Limits {
  /** Publishes in and out in any one second. What exceeds it is discarded, without a PUBACK; the connection stays. */
  readonly publishesPerSecond: number;
  /** Bytes in and out. What exceeds it is delayed. */
  readonly bytesPerSecond: number;
  /** QoS 1 publishes of the client without a PUBACK yet. No further one is accepted. */
  readonly inboundUnacknowledged: number;
  /** QoS 1 publishes to the client without a PUBACK yet; has to be chosen at the start. */
  readonly outboundUnacknowledged: number;
  /** A larger payload ends the connection. */
  readonly payloadBytes: number;
  /** Variable header and payload of an MQTT 5 packet; a larger one ends the connection. */
  readonly packetBytes: number;
  /** Of a topic name, without a Basic Ingest prefix; a longer one ends the connection. */
  readonly topicBytes: number;
  /** Of a topic name, without those of a Basic Ingest prefix; more end the connection. */
  readonly topicSlashes: number;
  /** Names and values of all user properties of a publish; more end the connection. */
  readonly userPropertyBytes: number;
  readonly correlationDataBytes: number;
  readonly contentTypeBytes: number;
  /** Filters in one SUBSCRIBE; it is refused as a whole. */
  readonly filtersPerSubscribe: number;
  /** Filters of one connection; AWS refuses those that are too many, this refuses their SUBSCRIBE. */
  readonly subscriptionsPerConnection: number;
  /** CONNECTs of one client id in any one second; more are turned away. */
  readonly connectsPerSecond: number;
  readonly clientIdBytes: number;
  /** A shorter keep-alive counts as this one. */
  readonly minKeepAliveSeconds: number;
  /** A longer keep-alive, or none, counts as this one. */
  readonly maxKeepAliveSeconds: number;
  /** A connection ends that is silent for one and a half times its keep-alive. */
  readonly endsSilence: boolean;
  /** QoS 2 has no answer: neither a publish nor a subscription with it. */
  readonly ignoresQos2: boolean;
  /** Publishing to, or subscribing to, a `$` topic that is not meant for it ends the connection. */
  readonly endsReserved: boolean;
  /** A retained publish to a `$` topic ends the connection. */
  readonly endsRetainedReserved: boolean;
  /** What the client's policies do not allow ends the connection. */
  readonly endsUnauthorized: boolean;
  /** A subscription with a wildcard gets no retained message. */
  readonly keepsRetainedFromWildcards: boolean;
  /** No Local, Retain As Published and Retain Handling count for nothing: a live delivery has RETAIN 0. */
  readonly ignoresSubscriptionOptions: boolean;
  /** Mosquitto's bridge flag in the protocol number (`try_private`) is refused. */
  readonly refusesBridgeFlag: boolean;
}

/** All limits as documented. */
export const documentedLimits: Limits = {
  publishesPerSecond: 100,
  bytesPerSecond: 512 * 1_024,
  inboundUnacknowledged: 100,
  outboundUnacknowledged: 100,
  payloadBytes: 128 * 1_024,
  packetBytes: 146 * 1_024,
  topicBytes: 256,
  topicSlashes: 7,
  userPropertyBytes: 8 * 1_024,
  correlationDataBytes: 8 * 1_024,
  contentTypeBytes: 256,
  filtersPerSubscribe: 8,
  subscriptionsPerConnection: 50,
  connectsPerSecond: 1,
  clientIdBytes: 128,
  minKeepAliveSeconds: 30,
  maxKeepAliveSeconds: 1_200,
  endsSilence: true,
  ignoresQos2: true,
  endsReserved: true,
  endsRetainedReserved: true,
  endsUnauthorized: true,
  keepsRetainedFromWildcards: true,
  ignoresSubscriptionOptions: true,
  refusesBridgeFlag: true,
};

/** Every limit switched off, for what is to run as fast as it can. */
export const noLimits: Limits = {
  publishesPerSecond: Number.POSITIVE_INFINITY,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  inboundUnacknowledged: Number.POSITIVE_INFINITY,
  outboundUnacknowledged: Number.POSITIVE_INFINITY,
  payloadBytes: Number.POSITIVE_INFINITY,
  packetBytes: Number.POSITIVE_INFINITY,
  topicBytes: Number.POSITIVE_INFINITY,
  topicSlashes: Number.POSITIVE_INFINITY,
  userPropertyBytes: Number.POSITIVE_INFINITY,
  correlationDataBytes: Number.POSITIVE_INFINITY,
  contentTypeBytes: Number.POSITIVE_INFINITY,
  filtersPerSubscribe: Number.POSITIVE_INFINITY,
  subscriptionsPerConnection: Number.POSITIVE_INFINITY,
  connectsPerSecond: Number.POSITIVE_INFINITY,
  clientIdBytes: Number.POSITIVE_INFINITY,
  minKeepAliveSeconds: 0,
  maxKeepAliveSeconds: Number.POSITIVE_INFINITY,
  endsSilence: false,
  ignoresQos2: false,
  endsReserved: false,
  endsRetainedReserved: false,
  endsUnauthorized: false,
  keepsRetainedFromWildcards: false,
  ignoresSubscriptionOptions: false,
  refusesBridgeFlag: false,
};

const quotas = "https://docs.aws.amazon.com/general/latest/gr/iot-core.html";
const mqtt = "https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html";
const reserved = "https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html";

/** Where each limit is documented, or what it was concluded from. */
export const limitPages: Readonly<Record<keyof Limits, string>> = {
  publishesPerSecond: quotas,
  bytesPerSecond: quotas,
  inboundUnacknowledged: quotas,
  outboundUnacknowledged: quotas,
  // That it ends the connection: CLIENT_ERROR.
  payloadBytes: "https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html",
  packetBytes: quotas,
  topicBytes: quotas,
  topicSlashes: quotas,
  userPropertyBytes: quotas,
  correlationDataBytes: quotas,
  contentTypeBytes: quotas,
  filtersPerSubscribe: quotas,
  subscriptionsPerConnection: quotas,
  connectsPerSecond: quotas,
  clientIdBytes: quotas,
  minKeepAliveSeconds: quotas,
  maxKeepAliveSeconds: quotas,
  endsSilence: "https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html",
  ignoresQos2: mqtt,
  endsReserved: reserved,
  endsRetainedReserved: mqtt,
  endsUnauthorized: "https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html",
  keepsRetainedFromWildcards: mqtt,
  // Concluded: no list of supported features has them, and RETAIN is documented to be 0 on live deliveries.
  ignoresSubscriptionOptions: mqtt,
  // Not AWS's page: what bridges ran into.
  refusesBridgeFlag: "https://mosquitto.org/man/mosquitto-conf-5.html",
};
