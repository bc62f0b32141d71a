import { hash, randomUUID } from "node:crypto";
import { openMessage } from "../../scheme/envelope/open-message.ts";
import type { IngestMessage, IngestSource } from "../../scheme/ingest.ts";
import { MessageError, quote } from "../../scheme/message-error.ts";
import { deviceIdOf, renderPath } from "../../scheme/request-path.ts";
import type { Route } from "../../scheme/scheme.ts";
import { checkTopicName } from "../../scheme/topic-name.ts";
import { matchTemplate } from "../../scheme/topic-template.ts";
import type { ApiFields } from "./api-headers.ts";
import { toDeviceMessage } from "./read-message.ts";
import type { HttpRequest } from "./send.ts";

/** What is known of a message beside what the topic rule says. */
export interface Delivery {
  /** The same for every attempt: the id of the first SQS message, or of what stands for it where there is no queue. */
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
}

export interface OpenedRequest {
  readonly request: HttpRequest;
  /** What the request's `idempotency-key` says. */
  readonly idempotencyKey: string;
  /** Fields of the device's header that were left out. */
  readonly strippedHeaders: number;
}

/** A message and where it belongs, which is a route as a rule. */
export interface RoutedMessage<Source extends IngestSource = Route> {
  readonly message: IngestMessage;
  readonly route: Source;
  readonly deviceId: string;
  /** What stands in the topic for the route's placeholders. */
  readonly values: ReadonlyMap<string, string>;
}

/** Finds a message's route and device. @throws {MessageError} where it has none. */
export function routeMessage<Source extends IngestSource>(
  message: IngestMessage,
  routes: ReadonlyMap<string, Source>,
): RoutedMessage<Source> {
  checkTopicName(message.topic);
  const { route, values } = findRoute(message, routes);
  return { message, route, deviceId: deviceIdOf(values), values };
}

/**
 * The HTTP request that a device's message becomes.
 *
 * @param basePath Path of the API's base URL, without a slash at its end.
 * @throws {MessageError} where the message cannot become one.
 */
export function toRequest(
  { message, route, deviceId, values }: RoutedMessage,
  delivery: Delivery,
  basePath: string,
  apiFields: ApiFields,
): OpenedRequest {
  const path = basePath + renderPath(route.path, values);
  const { headers, stripped, messageId, body } = openMessage(toDeviceMessage(message), apiFields);
  const idempotencyKey = keyOf(deviceId, messageId) ?? delivery.id;
  const fields = headers.flat();
  fields.push(
    "idempotency-key",
    idempotencyKey,
    "x-device-id",
    deviceId,
    "x-mqtt-topic",
    encodeTopic(message.topic),
    "x-mqtt-qos",
    String(route.qos),
    "x-received-at",
    new Date(message.receivedAt).toISOString(),
    "x-attempt",
    String(delivery.attempt),
  );
  const hasTrace = apiFields.overridden.has("traceparent") || headers.some(([name]) => name === "traceparent");
  if (!hasTrace) fields.push("traceparent", traceparent(delivery.id));
  fields.push(...apiFields.fields);
  const request = { method: route.method, path, headers: fields, body };
  return { request, idempotencyKey, strippedHeaders: stripped.length };
}

/** The message's route, and what stands in its topic for the placeholders. */
function findRoute<Source extends IngestSource>(
  { route: name, topic }: IngestMessage,
  routes: ReadonlyMap<string, Source>,
): { readonly route: Source; readonly values: ReadonlyMap<string, string> } {
  const route = routes.get(name);
  if (route === undefined) throw new MessageError("TOPIC_NOT_ROUTED", `there is no route ${quote(name)}`);
  const values = matchTemplate(route.topic, topic);
  // By Basic Ingest a rule gets whatever is published for it: its FROM clause is not asked.
  if (values === undefined) {
    throw new MessageError("TOPIC_NOT_ROUTED", `topic ${quote(topic)} is not '${route.topic.source}' of route ${name}`);
  }
  return { route, values };
}

/** Longest key that is sent, 255 characters: as much as the APIs that read one commonly store. */
const maxKeyLength = 255;

/**
 * The device's own message id after the device's, which cannot hold the `/` between them. One that would be too long
 * is replaced by its hash.
 */
function keyOf(deviceId: string, messageId: string | undefined): string | undefined {
  if (messageId === undefined) return undefined;
  const key = `${deviceId}/${messageId}`;
  return key.length <= maxKeyLength ? key : `${deviceId}/sha256-${hash("sha256", messageId)}`;
}

/**
 * A topic name as a field value: what is not visible ASCII is percent-encoded as UTF-8, and so is `%`, so that
 * decoding gives the topic name back.
 */
function encodeTopic(topic: string): string {
  if (plainTopic.test(topic)) return topic;
  return topic.toWellFormed().replace(/[^!-$&-~]+/g, encodeURIComponent);
}

const plainTopic = /^[!-$&-~]*$/;

/**
 * W3C Trace Context: the trace is the message's, the same for every attempt; the parent is this attempt. Marked as
 * sampled: an API that follows its caller would else drop all traces of messages.
 */
function traceparent(deliveryId: string): string {
  const compact = deliveryId.replaceAll("-", "");
  const traceId = traceIdPattern.test(compact) ? compact : hash("sha256", deliveryId).slice(0, 32);
  // The first and the last digits of a version 4 UUID are random.
  const random = randomUUID();
  return `00-${traceId}-${random.slice(0, 8)}${random.slice(-8)}-01`;
}

const traceIdPattern = /^(?!0{32})[0-9a-f]{32}$/;
