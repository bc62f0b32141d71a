import type { DeadLetter } from "../lambdas/store/dead-letters.ts";
import type { IngestMessage, IngestSources } from "../scheme/ingest.ts";

/** A message to be sent again, or why it cannot be. */
export type Replay =
  | { readonly kind: "message"; readonly route: string; readonly body: string }
  | { readonly kind: "impossible"; readonly reason: string };

/** What SQS takes of one message: 1 MiB. */
const maxQueuedBytes = 1_048_576;

/**
 * What is put into the queue of a route's retries, or of the replies, for a message that was recorded: its SQS body, with
 * the message's first id in it, so that the API sees the same idempotency key as before.
 */
export function toReplay(
  { id, route, message, isMessageCut }: Pick<DeadLetter, "id" | "route" | "message" | "isMessageCut">,
  sources: IngestSources,
): Replay {
  if (isMessageCut === true)
    return impossible("its message was too large to be recorded whole, or a part of it is missing");
  const qos = sources.get(route)?.qos;
  if (qos === undefined) return impossible(`the scheme has no route '${route}'`);
  if (qos === 0) return impossible(`route ${route} is QoS 0, which has no queue`);
  const ingest = readObject(message);
  if (ingest === undefined) return impossible("it is not what a topic rule writes");
  const body = JSON.stringify({ ...ingest, id } satisfies Partial<IngestMessage>);
  const bytes = Buffer.byteLength(body);
  if (bytes > maxQueuedBytes) return impossible(`it takes ${bytes} bytes in a queue, the limit is ${maxQueuedBytes}`);
  return { kind: "message", route, body };
}

function impossible(reason: string): Replay {
  return { kind: "impossible", reason };
}

function readObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
