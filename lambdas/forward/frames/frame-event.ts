import { decodeFrame } from "../../../scheme/frame/decode.ts";
import type { Frame } from "../../../scheme/frame/frame.ts";
import { FrameError } from "../../../scheme/frame/frame-error.ts";
import type { IngestFrame } from "../../../scheme/ingest.ts";

/** A frame with its messages, and by which connection it came. */
export interface IngestedFrame extends Frame {
  readonly broker: string | undefined;
}

/** Takes apart what the topic rule of frames has handed over. @throws {FrameError} */
export function readFrame(event: unknown): IngestedFrame {
  if (!isIngestFrame(event)) throw new FrameError("FRAME_NOT_ONE", "the event is not what the rule of frames selects");
  return { ...decodeFrame(Buffer.from(event.frame, "base64")), broker: event.broker };
}

/**
 * The event that a message of the frames' queue is about: what the topic rule handed over, in the record that Lambda
 * makes where a function failed with it.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function eventOf(body: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return body;
  }
  return typeof value === "object" && value !== null && "requestPayload" in value ? value.requestPayload : value;
}

function isIngestFrame(event: unknown): event is IngestFrame {
  if (typeof event !== "object" || event === null) return false;
  const { frame, broker }: { readonly frame?: unknown; readonly broker?: unknown } = event;
  return typeof frame === "string" && (broker === undefined || typeof broker === "string");
}
