import type { SQSRecord } from "aws-lambda";
import { defineScheme } from "../../scheme/define-scheme.ts";
import type { IngestMessage } from "../../scheme/ingest.ts";

/** The scheme of the tests: a route of each QoS, two whose topics have levels that devices choose, and commands. */
export const testScheme = defineScheme({
  name: "test",
  api: { url: "https://api.example.com" },
  routes: {
    location: { topic: "v1/drivers/{deviceId}/location", qos: 1 },
    health: { topic: "v1/drivers/{deviceId}/health", qos: 0, path: "/health/{deviceId}", method: "PUT" },
    collection: { topic: "api/{deviceId}/{name}", qos: 1 },
    item: { topic: "api/{deviceId}/{name}/{item}", qos: 1 },
  },
  commands: { topic: "Push/SDKControls/{deviceId}", replies: "Push/Replies/{deviceId}" },
  brokers: [{ url: "mqtts://broker.example.com" }],
});

/** An envelope, or a payload as it stands. */
export type TestPayload = { readonly header?: Readonly<Record<string, string>>; readonly body: unknown } | string;

/** What the topic rule of route `location` selects of a message. */
export function ingestMessage(change: Partial<IngestMessage> = {}, payload: TestPayload = { body: 1 }): IngestMessage {
  const text = typeof payload === "string" ? payload : JSON.stringify({ header: {}, ...payload });
  return {
    data: Buffer.from(text).toString("base64"),
    topic: "v1/drivers/d42/location",
    route: "location",
    receivedAt: 1_700_000_000_123,
    traceId: "0af76519-16cd-43dd-8448-eb211c80319c",
    ...change,
  };
}

/** An SQS message as a function gets it. */
export function sqsRecord(messageId: string, body: unknown, receiveCount = 1): SQSRecord {
  return {
    messageId,
    receiptHandle: `handle-${messageId}`,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: "1700000000200",
      SenderId: "AROAEXAMPLE:iot",
      ApproximateFirstReceiveTimestamp: "1700000000300",
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:location",
    awsRegion: "eu-central-1",
  };
}
