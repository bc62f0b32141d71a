import { cutEnvelope } from "../scheme/envelope/cut.ts";
import type { Message } from "./message.ts";

/** The name under which a request's id stands in an envelope's header and among user properties. */
export const idField = "commandId";

/** Who waits for which reply: by the reply's topic, then by the request's id. */
export class ReplyTable {
  readonly #topics = new Map<string, Map<string, (reply: Message) => void>>();

  add(topic: string, id: string, resolve: (reply: Message) => void): void {
    const waiting = this.#topics.get(topic);
    if (waiting === undefined) this.#topics.set(topic, new Map([[id, resolve]]));
    else waiting.set(id, resolve);
  }

  delete(topic: string, id: string): void {
    const waiting = this.#topics.get(topic);
    if (waiting?.delete(id) && waiting.size === 0) this.#topics.delete(topic);
  }

  /** Gives a reply to whoever asked for it; false where nobody did, or does any more. */
  take(message: Message): boolean {
    const waiting = this.#topics.get(message.topic);
    if (waiting === undefined) return false;
    const resolve = waiting.get(replyId(message) ?? "");
    resolve?.(message);
    return resolve !== undefined;
  }
}

/** The id of the request that a message answers; undefined where it says none, or is no message that we can read. */
function replyId({ correlationData, userProperties, payload }: Message): string | undefined {
  if (correlationData !== undefined) return correlationData.toString();
  const property = userProperties?.find(([name]) => name === idField);
  if (property !== undefined) return property[1];
  try {
    return cutEnvelope(payload).header.find(([name]) => name === idField)?.[1];
  } catch {
    // Anybody may write to a topic: what is no envelope is nobody's reply.
    return undefined;
  }
}
