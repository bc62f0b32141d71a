import type { FrameMember, Refusal } from "../../../scheme/frame/frame.ts";
import type { IngestMessage, IngestSource } from "../../../scheme/ingest.ts";
import { MessageError, quote } from "../../../scheme/message-error.ts";
import type { Route } from "../../../scheme/scheme.ts";
import { checkTopicName } from "../../../scheme/topic-name.ts";
import { TopicTrie } from "../../../scheme/topic-trie.ts";
import { type OpenedMessage, unknownRoute } from "../opened-message.ts";
import { routeMessage } from "../to-request.ts";

/** A message of a frame, read as far as it can be. */
export interface OpenedMember<Source extends IngestSource = Route> extends OpenedMessage<Source> {
  readonly message: IngestMessage;
  /** Set where it is not to be attempted. */
  readonly refusal: Refusal | undefined;
}

/** Opens a frame's member. @param broker By which connection the frame came. */
export type OpenMember<Source extends IngestSource = Route> = (
  member: FrameMember,
  broker: string | undefined,
) => OpenedMember<Source>;

/** Most bytes of a message in a queue: a publish that AWS IoT Core takes, in base64, and half as much beside it. */
const maxBodyBytes = 262_144;

/** Makes of a frame's member what the topic rule of its route would have made, with the id that the relay gave it. */
export function createOpenMember<Source extends IngestSource>(routes: ReadonlyMap<string, Source>): OpenMember<Source> {
  const trie = new TopicTrie<string>();
  for (const { name, topic } of routes.values()) trie.add(topic.filter, name);
  return (member, broker) => {
    const [routeName = unknownRoute] = trie.match(member.topic);
    const message = toIngestMessage(member, routeName, broker);
    const body = toText(message);
    const { id, refusal } = member;
    return { id, body, message, routeName, refusal, routed: route(message, body, routes, refusal) };
  };
}

function route<Source extends IngestSource>(
  message: IngestMessage,
  body: string,
  routes: ReadonlyMap<string, Source>,
  refusal: Refusal | undefined,
): OpenedMember<Source>["routed"] {
  try {
    checkTopicName(message.topic);
    if (!routes.has(message.route)) {
      throw new MessageError("TOPIC_NOT_ROUTED", `no route has the topic ${quote(message.topic)}`);
    }
    if (refusal === undefined) checkSize(body);
    return routeMessage(message, routes);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return error;
  }
}

/** A frame holds more, compressed, than its message could be tried again from. */
function checkSize(body: string): void {
  const bytes = Buffer.byteLength(body);
  if (bytes <= maxBodyBytes) return;
  throw new MessageError("PAYLOAD_TOO_LARGE", `it takes ${bytes} bytes in a queue, the limit is ${maxBodyBytes}`);
}

function toIngestMessage(member: FrameMember, routeName: string, broker: string | undefined): IngestMessage {
  const { id, receivedAt, topic, payload, userProperties, correlationData } = member;
  const { contentType, payloadFormat, responseTopic } = member;
  return {
    ...{ data: toBase64(payload), topic, route: routeName, receivedAt },
    ...(userProperties === undefined
      ? {}
      : { userProperties: userProperties.map(([key, value]) => ({ [key]: value })) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(payloadFormat === undefined ? {} : { payloadFormat }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: toBase64(correlationData) }),
    ...(broker === undefined ? {} : { broker }),
    id,
  };
}

/** As JSON, without the two characters that SQS refuses: a device may put them into its properties. */
function toText(message: IngestMessage): string {
  return JSON.stringify(message).replace(/[\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

function toBase64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
