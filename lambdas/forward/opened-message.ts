import type { IngestMessage, IngestSource } from "../../scheme/ingest.ts";
import { MessageError } from "../../scheme/message-error.ts";
import type { Route } from "../../scheme/scheme.ts";
import type { DeadLetter } from "../store/dead-letters.ts";
import type { RoutedMessage } from "./to-request.ts";

/** A message, read as far as it can be. */
export interface OpenedMessage<Source extends IngestSource = Route> {
  /** The message's id, the same in every attempt and replay. */
  readonly id: string;
  /** What a queue holds of it, JSON of `message` as a rule. */
  readonly body: string;
  /** Undefined where it is not what a topic rule writes. */
  readonly message: IngestMessage | undefined;
  /** Of the scheme; `unknown` where the message names none of it. */
  readonly routeName: string;
  /** The message with its route, or why it has none. */
  readonly routed: RoutedMessage<Source> | MessageError;
}

/** What the route is called of a message that has none of the scheme. */
export const unknownRoute = "unknown";

/**
 * The dead letter of a message, as far as the message itself tells of it.
 *
 * @param at Milliseconds since 1970.
 */
export function letterOf(
  { id, body, message, routeName, routed }: OpenedMessage<IngestSource>,
  at: number,
): Omit<DeadLetter, "reason" | "detail" | "attempts"> {
  return {
    ...{ id, route: routeName, at, state: "dead", stateAt: at, message: body, topic: message?.topic },
    deviceId: routed instanceof MessageError ? undefined : routed.deviceId,
  };
}
