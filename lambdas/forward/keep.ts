import { MessageError } from "../../scheme/message-error.ts";
import type { KeptMessage, KeptMessages } from "../store/kept-messages.ts";
import type { OpenedMessage } from "./opened-message.ts";

/** What AWS IoT SQL says of a message that no MQTT client sent, or where nobody knows which. */
const noClient = "n/a";

/** Keeps the messages of routes that have a `keep`, as they came. A message that finds no route is kept as a dead letter. */
export function createKeep(messages: Pick<KeptMessages, "put">): (opened: readonly OpenedMessage[]) => Promise<void> {
  return async (opened) => {
    const kept = opened.flatMap(toKept);
    if (kept.length > 0) await messages.put(kept);
  };
}

function toKept({ id, body, routed }: OpenedMessage): readonly (readonly [message: KeptMessage, days: number])[] {
  if (routed instanceof MessageError) return [];
  const { message, route, deviceId } = routed;
  if (route.keep === undefined) return [];
  const kept: KeptMessage = {
    ...{ id, route: route.name, topic: message.topic, deviceId, qos: route.qos, receivedAt: message.receivedAt },
    broker: message.broker === noClient ? undefined : message.broker,
    payload: Buffer.from(message.data, "base64"),
    message: body,
  };
  return [[kept, route.keep.days]];
}
