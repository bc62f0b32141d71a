import type { SQSRecord } from "aws-lambda";
import type { IngestMessage, IngestSource } from "../../scheme/ingest.ts";
import { MessageError } from "../../scheme/message-error.ts";
import type { Route } from "../../scheme/scheme.ts";
import type { DeadLetter } from "../store/dead-letters.ts";
import { parseIngestMessage } from "./read-message.ts";
import { type RoutedMessage, routeMessage } from "./to-request.ts";

/** An SQS message, read as far as it can be. */
export interface OpenedRecord<Source extends IngestSource = Route> {
  readonly record: Pick<SQSRecord, "messageId" | "body" | "receiptHandle" | "eventSourceARN">;
  /** The message's id, the same in every attempt and replay. */
  readonly id: string;
  /** Undefined where it is not what a topic rule writes. */
  readonly message: IngestMessage | undefined;
  /** Of the scheme; `unknown` where the message names none of it. */
  readonly routeName: string;
  /** The message with its route, or why it has none. */
  readonly routed: RoutedMessage<Source> | MessageError;
}

/** Reads an SQS message and finds its route and device. */
export function openRecord<Source extends IngestSource>(
  record: OpenedRecord["record"],
  routes: ReadonlyMap<string, Source>,
): OpenedRecord<Source> {
  let message: IngestMessage | undefined;
  let routed: RoutedMessage<Source> | MessageError;
  try {
    message = parseIngestMessage(record.body);
    routed = routeMessage(message, routes);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    routed = error;
  }
  const name = message?.route ?? "";
  const routeName = routes.has(name) ? name : "unknown";
  return { record, id: message?.id ?? record.messageId, message, routeName, routed };
}

/**
 * The dead letter of an SQS message, as far as the message itself tells of it.
 *
 * @param at Milliseconds since 1970.
 */
export function letterOf(
  { id, record, message, routeName, routed }: OpenedRecord<IngestSource>,
  at: number,
): Omit<DeadLetter, "reason" | "detail" | "attempts"> {
  return {
    ...{ id, route: routeName, at, state: "dead", stateAt: at, message: record.body, topic: message?.topic },
    deviceId: routed instanceof MessageError ? undefined : routed.deviceId,
  };
}
