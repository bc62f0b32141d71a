import { once } from "node:events";
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../testing.ts";
import { Queue, type QueueOptions } from "./queue.ts";
import { QueueStore } from "./queue-store.ts";
import { type Service, ServiceEndpoint, type ServiceRequest } from "./service-endpoint.ts";
import { sqsApi } from "./sqs-api.ts";

const QueueUrl = "https://sqs.us-east-1.amazonaws.com/000000000000/orders";

async function start(rest: Partial<QueueOptions> = {}) {
  const store = new QueueStore(temporaryFolder());
  const options = {
    name: "orders",
    arn: "arn:aws:sqs:us-east-1:000000000000:orders",
    visibilityTimeoutMs: 60_000,
    retentionMs: 86_400_000,
    maximumMessageBytes: 1_048_576,
    redrive: undefined,
  };
  const queue = new Queue({ ...options, ...rest }, store);
  const api = sqsApi(new Map([[QueueUrl, queue]]));
  const { promise: firstRequest, resolve } = Promise.withResolvers<ServiceRequest>();
  const answer: Service["answer"] = (request) => {
    resolve(request);
    return api.answer(request);
  };
  const endpoint = await ServiceEndpoint.start({ sqs: { ...api, answer } });
  const client = new SQSClient({
    endpoint: endpoint.url("sqs"),
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
    // Else the client asks the host of the queue's URL, which is AWS.
    useQueueUrlAsEndpoint: false,
  });
  onTestFinished(async () => {
    client.destroy();
    await endpoint[Symbol.asyncDispose]();
    queue[Symbol.dispose]();
    store[Symbol.dispose]();
  });
  const send = (MessageBody: string) => client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const receive = async (input: Omit<ReceiveMessageCommandInput, "QueueUrl"> = {}) =>
    (await client.send(new ReceiveMessageCommand({ QueueUrl, ...input }))).Messages ?? [];
  return { client, queue, store, send, receive, endpoint, firstRequest };
}

test("a message that is sent is received, with SQS's attributes", async () => {
  const { send, receive } = await start();
  // The client compares the MD5 of what was sent and of what was received.
  const { MessageId, MD5OfMessageBody } = await send("a body, é");
  expect(MD5OfMessageBody).toBe("42fd807349aeda07c8d19c728d00535e");
  const messages = await receive({ MessageSystemAttributeNames: ["All"] });
  const time = expect.stringMatching(/^\d{13}$/);
  expect(messages).toEqual([
    {
      MessageId,
      ReceiptHandle: expect.any(String),
      Body: "a body, é",
      MD5OfBody: MD5OfMessageBody,
      Attributes: {
        ApproximateReceiveCount: "1",
        SentTimestamp: time,
        SenderId: "iot.amazonaws.com",
        ApproximateFirstReceiveTimestamp: time,
      },
    },
  ]);
  expect(await receive()).toEqual([]);
});

test("only the attributes that are asked for are there", async () => {
  const { send, receive } = await start();
  await send("a");
  const [message] = await receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"], VisibilityTimeout: 0 });
  expect(message?.Attributes).toEqual({ ApproximateReceiveCount: "1" });
  expect((await receive())[0]?.Attributes).toBeUndefined();
});

test("a batch is sent, received and deleted", async () => {
  const { client, queue, receive } = await start();
  const Entries = ["a", "b", "c"].map((MessageBody, index) => ({ Id: `m${index}`, MessageBody }));
  const sent = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(sent.Successful?.map(({ Id }) => Id).toSorted()).toEqual(["m0", "m1", "m2"]);
  const messages = await receive({ MaxNumberOfMessages: 10 });
  expect(messages.map(({ Body }) => Body).toSorted()).toEqual(["a", "b", "c"]);
  const handles = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  const [first, ...others] = handles;
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle }));
  expect(queue.depth).toBe(2);
  await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: others }));
  expect(queue.depth).toBe(0);
});

test("a message is put off, and given back at once", async () => {
  const { client, send, receive } = await start();
  await send("a");
  const [message] = await receive({ MessageSystemAttributeNames: ["All"], VisibilityTimeout: 43_200 });
  const { ReceiptHandle } = message ?? {};
  await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 3600 }));
  expect(await receive()).toEqual([]);
  const Entries = [{ Id: "a", ReceiptHandle, VisibilityTimeout: 0 }];
  const { Successful } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  expect(Successful).toEqual([{ Id: "a" }]);
  const [again] = await receive({ MessageSystemAttributeNames: ["All"], WaitTimeSeconds: 20 });
  expect(again?.Attributes?.ApproximateReceiveCount).toBe("2");
});

test("a message may be sent with a delay", async () => {
  const { client, receive } = await start();
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "later", DelaySeconds: 1 }));
  expect(await receive()).toEqual([]);
  expect(await receive({ WaitTimeSeconds: 20 })).toMatchObject([{ Body: "later" }]);
});

test("a batch may be sent with the longest delay, and the ledger counts it as received", async () => {
  const { client, queue, store } = await start({ account: "location" });
  const Entries = ["a", "b"].map((Id) => ({ Id, MessageBody: Id.repeat(500_000), DelaySeconds: 900 }));
  const { Successful } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(Successful).toMatchObject([{ Id: "a" }, { Id: "b" }]);
  expect(queue.attributes).toMatchObject({ visible: 0, delayed: 2 });
  expect(store.readLedger()).toMatchObject([{ account: "location", received: 2, replayed: 2, pending: 2 }]);
});

test("who waits receives what is sent meanwhile, and the others go on waiting", async () => {
  const { send, receive, queue } = await start();
  await send("old");
  await receive();
  const waiting = [receive({ WaitTimeSeconds: 20 }), receive({ WaitTimeSeconds: 20 })];
  await queue.send("first", { origin: "api" });
  expect(await Promise.race(waiting)).toMatchObject([{ Body: "first" }]);
  await send("second");
  const bodies = (await Promise.all(waiting)).flat().map(({ Body }) => Body);
  expect(bodies.toSorted()).toEqual(["first", "second"]);
});

test("who waits in vain gets nothing at the end of the time", async () => {
  const { receive } = await start();
  const begin = performance.now();
  expect(await receive({ WaitTimeSeconds: 1 })).toEqual([]);
  expect(performance.now() - begin).toBeGreaterThan(900);
});

test("nothing is received for a caller who has gone", async () => {
  const { client, send, queue, firstRequest } = await start();
  const gone = new AbortController();
  const waiting = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
    abortSignal: gone.signal,
  });
  const outcome = waiting.catch(({ name }) => name);
  const { signal } = await firstRequest;
  const noticed = once(signal, "abort");
  gone.abort();
  await noticed;
  expect(await outcome).toBe("AbortError");
  await send("a");
  expect(queue.attributes).toMatchObject({ visible: 1, inFlight: 0 });
});

test("a queue is found by its name, and described", async () => {
  const { client, send, receive } = await start();
  expect((await client.send(new GetQueueUrlCommand({ QueueName: "orders" }))).QueueUrl).toBe(QueueUrl);
  await send("a");
  await send("b");
  await receive();
  const describe = async (AttributeNames: readonly ("All" | "QueueArn")[]) =>
    (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }))).Attributes;
  expect(await describe(["QueueArn"])).toEqual({ QueueArn: "arn:aws:sqs:us-east-1:000000000000:orders" });
  expect(await describe(["All"])).toMatchObject({
    ApproximateNumberOfMessages: "1",
    ApproximateNumberOfMessagesNotVisible: "1",
    VisibilityTimeout: "60",
  });
});

const handle = "1:1:1700000000000:1:00000000-0000-4000-8000-000000000000";
const entries = (count: number) => Array.from({ length: count }, (_, index) => ({ Id: `m${index}`, MessageBody: "a" }));

test.for([
  [
    "a queue that there is not",
    new SendMessageCommand({ QueueUrl: `${QueueUrl}2`, MessageBody: "a" }),
    "QueueDoesNotExist",
    "The specified queue does not exist.",
  ],
  [
    "a queue's name that there is not",
    new GetQueueUrlCommand({ QueueName: "other" }),
    "QueueDoesNotExist",
    "The specified queue does not exist.",
  ],
  [
    "no body",
    new SendMessageCommand({ QueueUrl, MessageBody: "" }),
    "MissingParameter",
    "The request must contain the parameter MessageBody.",
  ],
  [
    "a character that XML does not have",
    new SendMessageCommand({ QueueUrl, MessageBody: "a\u0000" }),
    "InvalidMessageContents",
    "Invalid characters found.",
  ],
  [
    "a message that is too large",
    new SendMessageCommand({ QueueUrl, MessageBody: "x".repeat(1025) }),
    "InvalidParameterValue",
    "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
  ],
  [
    "a delay over 15 minutes",
    new SendMessageCommand({ QueueUrl, MessageBody: "a", DelaySeconds: 901 }),
    "InvalidParameterValue",
    "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
  ],
  [
    "attributes of a message, which are not kept here",
    new SendMessageCommand({
      QueueUrl,
      MessageBody: "a",
      MessageAttributes: { kind: { DataType: "String", StringValue: "b" } },
    }),
    "UnsupportedOperation",
    "MessageAttributes is not performed here",
  ],
  [
    "eleven messages at once",
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 }),
    "InvalidParameterValue",
    "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
  ],
  [
    "a wait over 20 seconds",
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 21 }),
    "InvalidParameterValue",
    "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
  ],
  [
    "a visibility timeout over 12 hours",
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: handle, VisibilityTimeout: 43_201 }),
    "InvalidParameterValue",
    "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.",
  ],
  [
    "what is no receipt handle",
    new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "none" }),
    "ReceiptHandleIsInvalid",
    'The input receipt handle "none" is not a valid receipt handle.',
  ],
  [
    "the visibility of a message that is not in flight",
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: handle, VisibilityTimeout: 5 }),
    "InvalidParameterValue",
    `Value ${handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
  ],
  [
    "an empty batch",
    new SendMessageBatchCommand({ QueueUrl, Entries: [] }),
    "EmptyBatchRequest",
    "There should be at least one SendMessageBatchRequestEntry in the request.",
  ],
  [
    "eleven entries",
    new SendMessageBatchCommand({ QueueUrl, Entries: entries(11) }),
    "TooManyEntriesInBatchRequest",
    "Maximum number of entries per request are 10. You have sent 11.",
  ],
  [
    "two entries of one id",
    new SendMessageBatchCommand({ QueueUrl, Entries: [...entries(2), ...entries(1)] }),
    "BatchEntryIdsNotDistinct",
    "Id m0 repeated.",
  ],
  [
    "an entry's id",
    new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a b", ReceiptHandle: handle }] }),
    "InvalidBatchEntryId",
    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
  ],
  [
    "a batch that is too long",
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: ["a", "b"].map((Id) => ({ Id, MessageBody: "x".repeat(600_000) })),
    }),
    "BatchRequestTooLong",
    "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
  ],
  [
    "a queue's attribute",
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["KmsMasterKeyId"] }),
    "InvalidAttributeName",
    "Unknown Attribute KmsMasterKeyId.",
  ],
  ["another operation", new PurgeQueueCommand({ QueueUrl }), "UnknownOperationException", "PurgeQueue is not"],
] as const)("%s is refused as on AWS", async ([, command, name, message]) => {
  const { client } = await start({ maximumMessageBytes: 1024 });
  // The union of commands is no command to the client's type.
  await expect(client.send(command as SendMessageCommand)).rejects.toMatchObject({
    name,
    message: expect.stringContaining(message),
  });
});

test("a client of the query protocol's days knows an error by its code", async () => {
  const { endpoint } = await start();
  const response = await fetch(endpoint.url("sqs"), {
    method: "POST",
    headers: { "x-amz-target": "AmazonSQS.GetQueueUrl" },
    body: '{"QueueName":"other"}',
  });
  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toBe("application/x-amz-json-1.0");
  expect(response.headers.get("x-amzn-query-error")).toBe("AWS.SimpleQueueService.NonExistentQueue;Sender");
});

test("what is wrong with one entry of a batch is no fault of the others", async () => {
  const { client, send, receive, queue } = await start();
  await send("a");
  const [message] = await receive();
  const Entries = [
    { Id: "good", ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 5 },
    { Id: "unknown", ReceiptHandle: handle, VisibilityTimeout: 5 },
    { Id: "none", ReceiptHandle: "none", VisibilityTimeout: 5 },
  ];
  const { Successful, Failed } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  expect(Successful).toEqual([{ Id: "good" }]);
  expect(Failed).toMatchObject([
    { Id: "unknown", Code: "InvalidParameterValue", SenderFault: true },
    { Id: "none", Code: "ReceiptHandleIsInvalid", SenderFault: true },
  ]);
  // A receipt that is over: SQS answers with success, too.
  const old = [{ Id: "unknown", ReceiptHandle: handle }];
  expect((await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: old }))).Failed).toEqual([]);
  expect(queue.depth).toBe(1);
});
