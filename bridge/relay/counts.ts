/** What the relay has done since its start. Messages are devices'; a publish holds one or many of them. */
export interface RelayCounts {
  /** Messages that the broker has given, those that came again among them. */
  received: number;
  /** Messages that came again while, or after, they were under way. */
  redelivered: number;
  /** Messages that their route's `where` did not select. */
  filtered: number;
  /** Messages that IoT Core would not take: dead letters, or gone at QoS 0. */
  refused: number;
  /** Messages that no route has. */
  unrouted: number;
  /** Messages that IoT Core has acknowledged, or that were sent at QoS 0. */
  sent: number;
  /** Messages of QoS 0 that were lost for want of a connection. */
  dropped: number;
  /** Publishes to IoT Core, those that were sent again among them. */
  publishes: number;
  /** Their bytes: topics, payloads and headers. */
  publishedBytes: number;
  /** Publishes that were sent again after a connection was lost. */
  resent: number;
  connects: number;
  /** Connections that were cut because a PUBACK did not come. */
  stalls: number;
  /** Publishes that IoT Core has refused by a reason code; they are sent again. */
  rejected: number;
}

export function noCounts(): RelayCounts {
  return {
    ...{ received: 0, redelivered: 0, filtered: 0, refused: 0, unrouted: 0, sent: 0, dropped: 0 },
    ...{ publishes: 0, publishedBytes: 0, resent: 0, connects: 0, stalls: 0, rejected: 0 },
  };
}
