import { createHash } from "node:crypto";
import type { ReceivedMessage } from "./in-flight-messages.ts";
import { jsonService, type Operation } from "./json-service.ts";
import { systemAttributes } from "./message-attributes.ts";
import { isMessageText } from "./message-contents.ts";
import type { Queue } from "./queue.ts";
import { parseReceiptHandle } from "./receipt-handle.ts";
import { type Service, ServiceError } from "./service-endpoint.ts";
import { inBatch, inSqsWords, invalidValue, onTheWire, sqsError } from "./sqs-errors.ts";
import { maxMessageBytes, SqsRequest } from "./sqs-request.ts";

/**
 * SQS's operations on messages, on the engine's queues.
 *
 * @param queues By URL.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 */
export function sqsApi(queues: ReadonlyMap<string, Queue>): Service {
  const onQueue =
    (perform: QueueOperation, known: readonly string[]): Operation =>
    (input, signal) => {
      const request = new SqsRequest(input, ["QueueUrl", ...known]);
      const queue = queues.get(request.text("QueueUrl"));
      if (queue === undefined) throw sqsError("QueueDoesNotExist", noQueue);
      return inSqsWords(() => perform(queue, request, signal));
    };
  const batch = (kind: string, perform: EntryOperation, known: readonly string[]): Operation =>
    onQueue((queue, request) => performAll(queue, request.entries(kind), perform, known), ["Entries"]);
  return jsonService({
    target: "AmazonSQS",
    contentType: "application/x-amz-json-1.0",
    operations: {
      SendMessage: onQueue(send, sendMembers),
      SendMessageBatch: batch("SendMessageBatchRequestEntry", send, sendMembers),
      ReceiveMessage: onQueue(receive, receiveMembers),
      DeleteMessage: onQueue(remove, removeMembers),
      DeleteMessageBatch: batch("DeleteMessageBatchRequestEntry", remove, removeMembers),
      ChangeMessageVisibility: onQueue(changeVisibility, changeMembers),
      ChangeMessageVisibilityBatch: batch("ChangeMessageVisibilityBatchRequestEntry", changeVisibility, changeMembers),
      GetQueueAttributes: onQueue(attributes, ["AttributeNames"]),
      GetQueueUrl: (input) => {
        const name = new SqsRequest(input, ["QueueName", "QueueOwnerAWSAccountId"]).text("QueueName");
        for (const [url, { options }] of queues) if (options.name === name) return { QueueUrl: url };
        throw sqsError("QueueDoesNotExist", noQueue);
      },
    },
    onTheWire,
  });
}

const noQueue = "The specified queue does not exist.";

type QueueOperation = (queue: Queue, request: SqsRequest, signal: AbortSignal) => object | Promise<object>;
type EntryOperation = (queue: Queue, entry: SqsRequest) => object | Promise<object>;

/** Each entry by itself: what is wrong with one is no fault of the others. */
async function performAll(
  queue: Queue,
  entries: ReturnType<SqsRequest["entries"]>,
  perform: EntryOperation,
  known: readonly string[],
): Promise<object> {
  const bytes = entries.reduce((sum, [, { MessageBody }]) => sum + Buffer.byteLength(String(MessageBody ?? "")), 0);
  if (bytes > maxMessageBytes) {
    const message = `Batch requests cannot be longer than ${maxMessageBytes} bytes. You have sent ${bytes} bytes.`;
    throw sqsError("BatchRequestTooLong", message);
  }
  const Successful: object[] = [];
  const Failed: object[] = [];
  await Promise.all(
    entries.map(async ([Id, members]) => {
      try {
        Successful.push({ Id, ...(await inSqsWords(() => perform(queue, new SqsRequest(members, known)))) });
      } catch (error) {
        const failure = error instanceof ServiceError ? error : new ServiceError("InternalError", String(error), 500);
        Failed.push(inBatch(Id, failure));
      }
    }),
  );
  return { Successful, Failed };
}

const sendMembers = ["MessageBody", "DelaySeconds"];

async function send(queue: Queue, request: SqsRequest): Promise<object> {
  const body = request.text("MessageBody");
  const seconds = request.integer("DelaySeconds", 0, 900, "DelaySeconds must be >= 0 and <= 900.") ?? 0;
  const { maximumMessageBytes } = queue.options;
  if (Buffer.byteLength(body) > maximumMessageBytes) {
    const reason = `Message must be shorter than ${maximumMessageBytes} bytes.`;
    throw sqsError("InvalidParameterValue", `One or more parameters are invalid. Reason: ${reason}`);
  }
  if (!isMessageText(body)) throw sqsError("InvalidMessageContents", "Invalid characters found.");
  const messageId = await queue.send(body, { origin: "api", delayMs: seconds * 1000 });
  return { MessageId: messageId, MD5OfMessageBody: md5(body) };
}

const receiveMembers = [
  "AttributeNames",
  "MaxNumberOfMessages",
  "MessageAttributeNames", // no message has any
  "MessageSystemAttributeNames",
  "VisibilityTimeout",
  "WaitTimeSeconds",
];

async function receive(queue: Queue, request: SqsRequest, signal: AbortSignal): Promise<object> {
  const maximum = request.integer("MaxNumberOfMessages", 1, 10, "Must be between 1 and 10, if provided.") ?? 1;
  const waitSeconds = request.integer("WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided.") ?? 0;
  const timeout = visibilityTimeout(request);
  const names = [...request.texts("AttributeNames"), ...request.texts("MessageSystemAttributeNames")];
  const take = () => queue.receive(maximum, timeout && timeout * 1000);
  const messages = await firstOf(queue, take, waitSeconds * 1000, signal);
  return { Messages: messages.map((message) => describe(message, names)) };
}

/** Waits for messages, but not for a caller who has gone: they would be in flight for nobody. */
async function firstOf(
  queue: Queue,
  take: () => ReceivedMessage[],
  waitMs: number,
  signal: AbortSignal,
): Promise<readonly ReceivedMessage[]> {
  let messages = take();
  if (messages.length > 0 || waitMs === 0) return messages;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  while (messages.length === 0 && !limit.aborted) {
    await queue.nextVisible(limit);
    messages = signal.aborted ? [] : take();
  }
  return messages;
}

function describe(message: ReceivedMessage, names: readonly string[]): object {
  const attributes = Object.entries(systemAttributes(message)).filter(
    ([name]) => names.includes("All") || names.includes(name),
  );
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(attributes.length === 0 ? {} : { Attributes: Object.fromEntries(attributes) }),
  };
}

const removeMembers = ["ReceiptHandle"];

function remove(queue: Queue, request: SqsRequest): object {
  queue.deleteReceipt(receiptHandle(request), "delivered");
  return {};
}

const changeMembers = ["ReceiptHandle", "VisibilityTimeout"];

function changeVisibility(queue: Queue, request: SqsRequest): object {
  const handle = receiptHandle(request);
  const seconds = visibilityTimeout(request);
  if (seconds === undefined) {
    throw sqsError("MissingParameter", "The request must contain the parameter VisibilityTimeout.");
  }
  if (!queue.changeVisibility(handle, seconds * 1000)) {
    const reason = "Message does not exist or is not available for visibility timeout change.";
    throw invalidValue(handle, "ReceiptHandle", reason);
  }
  return {};
}

function attributes(queue: Queue, request: SqsRequest): object {
  const all: Readonly<Record<string, string>> = describeQueue(queue);
  const names = request.texts("AttributeNames");
  const unknown = names.find((name) => name !== "All" && !Object.hasOwn(all, name));
  if (unknown !== undefined) throw sqsError("InvalidAttributeName", `Unknown Attribute ${unknown}.`);
  const entries = Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name));
  return { Attributes: Object.fromEntries(entries) };
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
function describeQueue({ options, attributes }: Queue) {
  const { arn, visibilityTimeoutMs, retentionMs, maximumMessageBytes, redrive } = options;
  const policy = redrive && { deadLetterTargetArn: redrive.to.options.arn, maxReceiveCount: redrive.maxReceiveCount };
  return {
    ApproximateNumberOfMessages: String(attributes.visible),
    ApproximateNumberOfMessagesDelayed: String(attributes.delayed),
    ApproximateNumberOfMessagesNotVisible: String(attributes.inFlight),
    DelaySeconds: "0",
    MaximumMessageSize: String(maximumMessageBytes),
    MessageRetentionPeriod: String(retentionMs / 1000),
    QueueArn: arn,
    ReceiveMessageWaitTimeSeconds: "0",
    VisibilityTimeout: String(visibilityTimeoutMs / 1000),
    ...(policy && { RedrivePolicy: JSON.stringify(policy) }),
  };
}

function visibilityTimeout(request: SqsRequest): number | undefined {
  return request.integer("VisibilityTimeout", 0, 43_200, "Must be between 0 and 43200, if provided.");
}

function receiptHandle(request: SqsRequest): string {
  const handle = request.text("ReceiptHandle");
  if (parseReceiptHandle(handle) !== undefined) return handle;
  throw sqsError("ReceiptHandleIsInvalid", `The input receipt handle "${handle}" is not a valid receipt handle.`);
}

/** What the SDK's clients check a body by. */
function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
