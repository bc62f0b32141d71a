import type { QueuedText } from "../send-batch.ts";

/** A message that is tried again from the retry queue of its route. */
export interface HandedOn {
  readonly route: string;
  readonly body: string;
  readonly delaySeconds: number;
}

/** Sends messages to the retry queue of a route, as many as SQS takes at one time. */
export type SendRetries = (route: string, messages: readonly QueuedText[]) => Promise<void>;

/** Longest delay that SQS gives a message from its sending on: 15 minutes. */
export const maximumDelaySeconds = 900;

/** Most messages that SQS takes at one time; and bytes, a quarter of what it takes. */
const batchEntries = 10;
const batchBytes = 262_144;

/**
 * Puts messages into the retry queues of their routes. One that has to wait for longer than SQS can delay it comes
 * early, and is put off from there.
 *
 * @throws where one of them is not sent; others may be.
 */
export async function handOn(messages: readonly HandedOn[], send: SendRetries): Promise<void> {
  const sendings = [...Map.groupBy(messages, ({ route }) => route)].flatMap(([route, ofRoute]) =>
    toBatches(ofRoute).map((batch) => send(route, batch)),
  );
  // All of them to their end: what is under way when an invocation ends is frozen.
  const failed = (await Promise.allSettled(sendings)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

function toBatches(messages: readonly HandedOn[]): readonly (readonly QueuedText[])[] {
  const batches: QueuedText[][] = [];
  let bytes = 0;
  for (const { body, delaySeconds } of messages) {
    const size = Buffer.byteLength(body);
    const last = batches.at(-1);
    const text = { body, delaySeconds: Math.min(delaySeconds, maximumDelaySeconds) };
    if (last === undefined || last.length === batchEntries || bytes + size > batchBytes) {
      batches.push([text]);
      bytes = size;
    } else {
      last.push(text);
      bytes += size;
    }
  }
  return batches;
}
