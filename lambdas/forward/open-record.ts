import type { SQSRecord } from "aws-lambda";
import type { IngestMessage, IngestSource } from "../../scheme/ingest.ts";
import { MessageError } from "../../scheme/message-error.ts";
import type { Route } from "../../scheme/scheme.ts";
import { type OpenedMessage, unknownRoute } from "./opened-message.ts";
import { parseIngestMessage } from "./read-message.ts";
import { type RoutedMessage, routeMessage } from "./to-request.ts";

/** An SQS message, read as far as it can be. */
export interface OpenedRecord<Source extends IngestSource = Route> extends OpenedMessage<Source> {
  readonly record: Pick<SQSRecord, "messageId" | "body" | "receiptHandle" | "eventSourceARN">;
}

/** Reads an SQS message and finds its route and device. */
export function openRecord<Source extends IngestSource>(
  record: OpenedRecord["record"],
  routes: ReadonlyMap<string, Source>,
): OpenedRecord<Source> {
  const { messageId, body } = record;
  let message: IngestMessage | undefined;
  let routed: RoutedMessage<Source> | MessageError;
  try {
    message = parseIngestMessage(body);
    routed = routeMessage(message, routes);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    routed = error;
  }
  const name = message?.route ?? "";
  const routeName = routes.has(name) ? name : unknownRoute;
  return { record, id: message?.id ?? messageId, body, message, routeName, routed };
}
