import { frameHeaderBytes, maxUnpackedBytes, memberHeaderBytes } from "../../scheme/frame/frame.ts";
import { framesTopic } from "../../scheme/ingest.ts";
import { maxPayloadBytes } from "../payload-limits.ts";
import type { Batching as RelayBatching } from "../relay/batcher.ts";
import { defaultPace, publishHeaderBytes } from "../relay/pace.ts";
import { messagesPerSecond, type Workload } from "./workload.ts";

/** How the relay batches, by its own options, and how its frames compress. */
export interface Batching extends RelayBatching {
  /** Of a message that follows others in its frame: its compressed size as a part of what it was. */
  readonly compression: number;
}

/** What goes to IoT Core, on average while messages come. */
export interface Uplink {
  readonly connections: number;
  readonly messagesPerPublish: number;
  /** In a publish that has no room for more. */
  readonly mostMessages: number;
  readonly publishesPerSecond: number;
  /** Of one publish. */
  readonly payloadBytes: number;
  /** Of one publish with topic and header. */
  readonly packetBytes: number;
}

/**
 * What messages have in common is written once, so that a frame takes this much of a message's size, beside what each message
 * takes. Measured with frames of positions in JSON, 210 to 240 bytes from as many devices, random ids and
 * digits among them; compressed size as a part of what they hold:
 *
 * | messages | 1 | 4 | 24 | 100 |
 * |---|---|---|---|---|
 * | flat objects | 0.84 | 0.43 | 0.27 | 0.23 |
 * | a header with a request's id beside a body | 0.89 | 0.48 | 0.33 | 0.30 |
 * | a header with a token of 60 random characters | 0.97 | 0.57 | 0.41 | 0.37 |
 * | the second row by this figure and 0.3 for each | 1 | 0.50 | 0.33 | 0.31 |
 */
const firstCompression = 0.8;

export const defaultCompression = 0.3;

/** Where frames go, for a scheme and a stage with names of usual length. */
const frameTopicBytes = framesTopic("drivers_prod_relay_frames").length;

/** A bridge's one connection, each message a publish. */
export function plainUplink(workload: Workload): Uplink {
  const { payloadBytes, topicBytes } = workload;
  return {
    ...{ connections: 1, messagesPerPublish: 1, mostMessages: 1 },
    publishesPerSecond: messagesPerSecond(workload),
    payloadBytes,
    packetBytes: payloadBytes + topicBytes + publishHeaderBytes,
  };
}

/**
 * Frames, of all routes together. A frame waits from its first message on, so that it holds that one and those of its delay;
 * then it goes to whichever connection has its turn. There are as many of these as the busiest second needs.
 */
export function framesUplink(workload: Workload, batching: Batching): Uplink {
  const peak = framesOf(workload, batching, workload.peakFactor);
  const byPublishes = peak.publishesPerSecond / defaultPace.publishesPerSecond;
  const byBytes = (peak.publishesPerSecond * peak.packetBytes) / defaultPace.bytesPerSecond;
  const connections = Math.max(1, Math.ceil(Math.max(byPublishes, byBytes)));
  return { connections, ...framesOf(workload, batching, 1) };
}

/** The most that a second brings, for the quotas. @param batching Undefined where there are no frames. */
export function atPeak(workload: Workload, uplink: Uplink, batching: Batching | undefined): Uplink {
  const { connections, publishesPerSecond } = uplink;
  return batching === undefined
    ? { ...uplink, publishesPerSecond: publishesPerSecond * workload.peakFactor }
    : { connections, ...framesOf(workload, batching, workload.peakFactor) };
}

function framesOf(workload: Workload, batching: Batching, factor: number): Omit<Uplink, "connections"> {
  const { maxMessages, delayMs, compression } = batching;
  const rate = messagesPerSecond(workload) * factor;
  const memberBytes = workload.payloadBytes + workload.topicBytes + memberHeaderBytes;
  const room = (maxPayloadBytes - frameHeaderBytes) / memberBytes;
  const fitting = Math.min(maxUnpackedBytes / memberBytes, Math.max(room, (room - firstCompression) / compression));
  // What no frame has room for goes alone, by the queue of its route; it is planned as a frame all the same.
  const mostMessages = Math.min(maxMessages, Math.max(1, Math.floor(fitting)));
  const messagesPerPublish = Math.min(1 + (rate * delayMs) / 1000, mostMessages);
  // It is not compressed where that would make it larger.
  const packed = Math.min(messagesPerPublish, firstCompression + messagesPerPublish * compression);
  const payloadBytes = frameHeaderBytes + memberBytes * packed;
  return {
    ...{ messagesPerPublish, mostMessages },
    publishesPerSecond: rate / messagesPerPublish,
    payloadBytes,
    packetBytes: payloadBytes + frameTopicBytes + publishHeaderBytes,
  };
}
