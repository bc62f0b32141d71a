import { quotas } from "./quotas.ts";
import { messagesPerSecond, type Workload } from "./workload.ts";

/** How the relay batches; as its own options are. */
export interface Batching {
  /** Messages of one frame at most. */
  readonly maxMessages: number;
  /** How long the first message of a frame waits for others. */
  readonly delayMs: number;
  /** Size of a compressed frame as a part of what it holds. */
  readonly compression: number;
}

/** What goes to IoT Core, on average while messages come. */
export interface Uplink {
  readonly connections: number;
  readonly messagesPerPublish: number;
  readonly publishesPerSecond: number;
  /** Of one publish. */
  readonly payloadBytes: number;
  /** Of one publish with topic and header. */
  readonly packetBytes: number;
}

/**
 * What the relay gives a connection at most: a tenth below the quotas, so that a second that begins elsewhere than its own
 * has no more.
 */
export const pace = {
  publishesPerSecond: quotas.connectionPublishes.limit * 0.9,
  bytesPerSecond: quotas.connectionBytes.limit * 0.9,
} as const;

/** Of a message in a frame, beside its payload and its topic: id, time, flags and lengths. */
const memberBytes = 34;

/** What a frame may hold before it is compressed. */
const maxUnpackedBytes = 1_048_576;

/** MQTT 5 header of a publish at QoS 1: type, remaining length, topic's length, packet id, no property. */
const headerBytes = 10;

/** A bridge's one connection, each message a publish. */
export function plainUplink(workload: Workload): Uplink {
  return single(workload, 1);
}

/** Each message a publish, over as many connections as the busiest second needs. */
export function unbatchedUplink(workload: Workload): Uplink {
  const { packetBytes } = single(workload, 1);
  const peak = messagesPerSecond(workload) * workload.peakFactor;
  return single(workload, connectionsFor(peak, packetBytes));
}

/**
 * Many messages in each publish. A frame waits from its first message on, so that it holds that one and those of its delay:
 * of its own connection and route. More connections make smaller frames, hence there are as few as the peak allows.
 */
export function batchedUplink(workload: Workload, batching: Batching): Uplink {
  for (let connections = 1; ; connections++) {
    const peak = framesOf(workload, batching, connections, workload.peakFactor);
    if (connectionsFor(peak.publishesPerSecond, peak.packetBytes) > connections) continue;
    return framesOf(workload, batching, connections, 1);
  }
}

/** The most that a second brings, for the quotas. */
export function atPeak(workload: Workload, uplink: Uplink, batching: Batching | undefined): Uplink {
  const { connections } = uplink;
  return batching === undefined
    ? { ...uplink, publishesPerSecond: uplink.publishesPerSecond * workload.peakFactor }
    : framesOf(workload, batching, connections, workload.peakFactor);
}

function single(workload: Workload, connections: number): Uplink {
  const { payloadBytes, topicBytes } = workload;
  return {
    connections,
    messagesPerPublish: 1,
    publishesPerSecond: messagesPerSecond(workload),
    payloadBytes,
    packetBytes: payloadBytes + topicBytes + headerBytes,
  };
}

function framesOf(workload: Workload, batching: Batching, connections: number, factor: number): Uplink {
  const { payloadBytes, topicBytes, routes } = workload;
  const { maxMessages, delayMs, compression } = batching;
  const rate = messagesPerSecond(workload) * factor;
  const unpacked = payloadBytes + topicBytes + memberBytes;
  const gathered = 1 + ((rate / (connections * routes)) * delayMs) / 1000;
  // A message that is larger than a frame may be goes alone.
  const fitting = Math.min(maxUnpackedBytes / unpacked, quotas.payload.limit / (unpacked * compression));
  const messagesPerPublish = Math.min(gathered, maxMessages, Math.max(1, Math.floor(fitting)));
  // One alone is sent as it is: a frame would make it larger.
  const frameBytes = messagesPerPublish === 1 ? payloadBytes : messagesPerPublish * unpacked * compression;
  return {
    connections,
    messagesPerPublish,
    publishesPerSecond: rate / messagesPerPublish,
    payloadBytes: frameBytes,
    packetBytes: frameBytes + topicBytes + headerBytes,
  };
}

function connectionsFor(publishesPerSecond: number, packetBytes: number): number {
  const byPublishes = publishesPerSecond / pace.publishesPerSecond;
  const byBytes = (publishesPerSecond * packetBytes) / pace.bytesPerSecond;
  return Math.max(1, Math.ceil(Math.max(byPublishes, byBytes)));
}
