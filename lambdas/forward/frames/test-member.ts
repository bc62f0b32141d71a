import { encodeFrame } from "../../../scheme/frame/encode.ts";
import type { FrameMember } from "../../../scheme/frame/frame.ts";
import type { IngestFrame } from "../../../scheme/ingest.ts";
import type { Qos } from "../../../scheme/scheme.ts";

/** UUID of a test's message. */
export function idOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

/** A message of device `d<n>` on route `location`, whose body is `n`, as the relay took it. */
export function memberOf(n: number, change: Partial<FrameMember> = {}): FrameMember {
  return {
    id: idOf(n),
    receivedAt: 1_700_000_000_123,
    topic: `v1/drivers/d${n}/location`,
    payload: Buffer.from(JSON.stringify({ header: {}, body: n })),
    ...change,
  };
}

/** What the topic rule of frames hands over. */
export function ingestFrame(members: readonly FrameMember[], qos: Qos = 1): IngestFrame {
  return { frame: encodeFrame({ qos, members }).toString("base64"), broker: "relay-1" };
}
