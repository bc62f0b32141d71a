import { maxPayloadBytes } from "../publish/limits.ts";
import { answerJson } from "./answer.ts";
import { checkFeedTopic } from "./feed-topic.ts";
import { commandLimitMs, type FeedParts, type Operation } from "./operation.ts";
import { PushError } from "./push-error.ts";
import { readBody } from "./read-body.ts";
import { readQuery } from "./read-query.ts";
import { noQuery, publishBody } from "./request-schemas.ts";

/** A topic and the names of members come on top of what is published. */
const maxBytes = maxPayloadBytes + 2_048;

/** Publishes on a topic of one of the scheme's feeds, to all brokers. */
export const publishToFeed: Operation<FeedParts> = ({ query, ...request }, { feeds, scheme }) => {
  readQuery(query, noQuery);
  const { value, raw } = readBody(request, { schema: publishBody, maxBytes });
  const { topic, retain: isRetained } = value;
  checkFeedTopic(topic, scheme);
  const body = raw.get("body") ?? "null";
  // Ids and times of all messages are as long as these.
  checkSize(wrap({ messageId: "0190b5d6-1b9c-7000-8000-000000000000", issuedAt: new Date(0).toISOString() }, body));
  return {
    limitMs: commandLimitMs,
    async run({ id: messageId, issuedAt: at }) {
      const header = { messageId, issuedAt: new Date(at).toISOString() };
      await feeds.publish({ topic, payload: wrap(header, body), isRetained });
      return answerJson(200, { ...header, topic });
    },
  };
};

function wrap(header: { readonly messageId: string; readonly issuedAt: string }, body: string): Buffer {
  return Buffer.from(`{"header":${JSON.stringify(header)},"body":${body}}`);
}

function checkSize({ length }: Buffer): void {
  if (length <= maxPayloadBytes) return;
  const detail = `the message has ${length} bytes with its envelope, the limit is ${maxPayloadBytes}`;
  throw new PushError("PAYLOAD_TOO_LARGE", detail);
}
