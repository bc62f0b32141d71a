import type { IncomingHttpHeaders } from "node:http";
import { type Fleet, numberIn } from "../fleet.ts";

/** Which message of the run a request carries. */
export interface MessageOfRun {
  readonly messageNumber: number;
  readonly idempotencyKey: string;
}

/** Undefined for a request that is none of the run's, or says something else than its message. */
export function readMessage(
  headers: IncomingHttpHeaders,
  body: string,
  fleet: Fleet,
  messages: number,
): MessageOfRun | undefined {
  const messageNumber = numberIn(body);
  const key = headers["idempotency-key"];
  if (messageNumber === undefined || messageNumber >= messages || typeof key !== "string") return undefined;
  const { deviceId, topic, idempotencyKey = key } = fleet.message(messageNumber);
  const isAsSent = headers["x-device-id"] === deviceId && headers["x-mqtt-topic"] === topic && key === idempotencyKey;
  return isAsSent ? { messageNumber, idempotencyKey: key } : undefined;
}
