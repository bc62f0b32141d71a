import { expect, onTestFinished, test, vi } from "vitest";
import { functionOf, temporaryFolder } from "../testing.ts";
import { EventSourceMapping, type EventSourceMappingOptions } from "./event-source-mapping.ts";
import type { FunctionOptions } from "./execution-environment.ts";
import type { LedgerAnswer } from "./ledger-answer.ts";
import { Queue, type QueueOptions } from "./queue.ts";
import { QueueStore } from "./queue-store.ts";

function createQueue(rest: Partial<QueueOptions> = {}): Queue {
  const store = new QueueStore(temporaryFolder());
  const queue = new Queue(
    {
      name: "orders",
      arn: "arn:aws:sqs:us-east-1:000000000000:orders",
      visibilityTimeoutMs: 60_000,
      retentionMs: 86_400_000,
      maximumMessageBytes: 1_048_576,
      redrive: undefined,
      ...rest,
    },
    store,
  );
  onTestFinished(() => {
    queue[Symbol.dispose]();
    store[Symbol.dispose]();
  });
  return queue;
}

function map(
  queue: Queue,
  options: FunctionOptions,
  rest: Partial<EventSourceMappingOptions> = {},
): EventSourceMapping {
  return new EventSourceMapping(queue, options, {
    isEnabled: true,
    batchSize: 10,
    maximumConcurrency: 2,
    reportsBatchItemFailures: true,
    region: "us-east-1",
    tell: () => {},
    ...rest,
  });
}

function sendAll(queue: Queue, bodies: readonly string[]): Promise<unknown> {
  return Promise.all(bodies.map((body) => queue.send(body)));
}

test("the event is SQS's", async () => {
  const queue = createQueue();
  const options = functionOf("export const handler = async (event) => console.log(JSON.stringify(event));");
  await queue.send("a body");
  await using _ = map(queue, options);
  await options.output.until((lines) => lines.length === 1);
  const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);
  const time = expect.stringMatching(/^\d{13}$/);
  expect(JSON.parse(options.output.lines[0] ?? "")).toEqual({
    Records: [
      {
        messageId: uuid,
        receiptHandle: expect.stringMatching(/^\S+$/),
        body: "a body",
        attributes: {
          ApproximateReceiveCount: "1",
          SentTimestamp: time,
          SenderId: "iot.amazonaws.com",
          ApproximateFirstReceiveTimestamp: time,
        },
        messageAttributes: {},
        eventSource: "aws:sqs",
        eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:orders",
        awsRegion: "us-east-1",
      },
    ],
  });
});

test("messages come in batches of at most the batch size", async () => {
  const queue = createQueue();
  await sendAll(queue, ["a", "b", "c", "d", "e"]);
  const options = functionOf("export const handler = async ({ Records }) => console.log(Records.length);");
  await using _ = map(queue, options, { batchSize: 2 });
  await options.output.until((lines) => lines.length === 3);
  expect(options.output.lines.toSorted()).toEqual(["1", "2", "2"]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, "Success and failure conditions"
test.for([
  ["({ batchItemFailures: [{ itemIdentifier: idOf('b') }] })", ["b"]],
  ["({ batchItemFailures: ['a', 'c'].map((body) => ({ itemIdentifier: idOf(body) })) })", ["a", "c"]],
  ["({ batchItemFailures: [] })", []],
  ["({ batchItemFailures: null })", []],
  ["({})", []],
  ["null", []],
  ["undefined", []],
  ["({ batchItemFailures: [{ itemIdentifier: '' }] })", ["a", "b", "c"]],
  ["({ batchItemFailures: [{ itemIdentifier: null }] })", ["a", "b", "c"]],
  ["({ batchItemFailures: [{ itemIdentifier: idOf('a') }, { itemIdentifier: 7 }] })", ["a", "b", "c"]],
  ["({ batchItemFailures: [{ itemId: idOf('a') }] })", ["a", "b", "c"]], // a key that is not known
  ["({ batchItemFailures: [null] })", ["a", "b", "c"]],
  ["({ batchItemFailures: [idOf('a')] })", ["a", "b", "c"]],
  ["({ batchItemFailures: {} })", ["a", "b", "c"]], // no list
  ["({ batchItemFailures: 'all' })", ["a", "b", "c"]],
  ["'ok'", ["a", "b", "c"]], // JSON, but no response
  ["42", ["a", "b", "c"]],
  ["(() => { throw new Error('no') })()", ["a", "b", "c"]],
  ["process.exit(1)", ["a", "b", "c"]],
] as const)("the answer %s leaves %j in the queue", async ([expression, left]) => {
  const queue = createQueue();
  await sendAll(queue, ["a", "b", "c"]);
  const code = `export const handler = async ({ Records }) => {
    const idOf = (body) => Records.find((record) => record.body === body).messageId;
    console.log(Records.length);
    return ${expression};
  };`;
  const options = functionOf(code);
  await using mapping = map(queue, options, { maximumConcurrency: 1 });
  await mapping.started();
  await mapping.stop();
  expect(queue.depth).toBe(left.length);
  expect(queue.counts.deleted).toBe(3 - left.length);
  expect(mapping.counts).toMatchObject({ invocations: 1, failedMessages: left.length });
});

test("a message that the function names as dead ends so, and a failed one does not end", async () => {
  const queue = createQueue();
  await sendAll(queue, ["a", "b", "c"]);
  const ends: string[] = [];
  const remove = queue.delete.bind(queue);
  queue.delete = (message, end) => {
    ends.push(`${message.body} ${end}`);
    remove(message, end);
  };
  const code = `export const handler = async ({ Records }) => {
    const idsOf = (...bodies) => Records.filter(({ body }) => bodies.includes(body)).map(({ messageId }) => messageId);
    return { batchItemFailures: idsOf("c").map((itemIdentifier) => ({ itemIdentifier })), dead: idsOf("b", "c") };
  };`;
  await using mapping = map(queue, functionOf(code), { maximumConcurrency: 1 });
  await mapping.started();
  await mapping.stop();
  expect(ends.toSorted()).toEqual(["a delivered", "b dead"]);
  expect(queue.depth).toBe(1);
});

test.for([[{}], [null], ["all"], [[7]]] as const)("%j as the dead names nobody", async ([dead]) => {
  const queue = createQueue();
  await queue.send("a");
  const code = `export const handler = async () => ({ batchItemFailures: [], dead: ${JSON.stringify(dead)} });`;
  await using mapping = map(queue, functionOf(code));
  await mapping.started();
  await mapping.stop();
  expect(queue.depth).toBe(0);
});

test.for([
  ["({ batchItemFailures: [], ledger: 7 })", [7]],
  ["({ batchItemFailures: [{ itemIdentifier: Records[0].messageId }], ledger: 7 })", [7]],
  ["({ batchItemFailures: {}, ledger: 7 })", []], // no answer: all failed
  ["(() => { throw new Error('no') })()", []],
] as const)("of the answer %s the ledger is told %j", async ([expression, told]) => {
  const queue = createQueue();
  await queue.send("a");
  const tell = vi.fn<LedgerAnswer>();
  const code = `export const handler = async ({ Records }) => ${expression};`;
  await using mapping = map(queue, functionOf(code), { tell });
  await mapping.started();
  await mapping.stop();
  expect(tell.mock.calls.map(([answer]) => (answer as { readonly ledger?: unknown }).ledger)).toEqual(told);
});

test("a mapping that is not enabled receives nothing", async () => {
  const queue = createQueue();
  await queue.send("a");
  await using mapping = map(queue, functionOf("export const handler = async () => {};"), { isEnabled: false });
  await mapping.started();
  await mapping.stop();
  expect(mapping.counts.invocations).toBe(0);
  expect(queue.depth).toBe(1);
});

test("without ReportBatchItemFailures an answer settles the whole batch, whatever it says", async () => {
  const queue = createQueue();
  await sendAll(queue, ["a", "b"]);
  const code = `export const handler = async ({ Records }) => ({
    batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
  });`;
  await using mapping = map(queue, functionOf(code), { reportsBatchItemFailures: false });
  await mapping.started();
  await mapping.stop();
  expect(queue.depth).toBe(0);
});

test("failed messages come again and at last become dead letters", async () => {
  const dead = createQueue({ name: "dead" });
  const queue = createQueue({ visibilityTimeoutMs: 40, redrive: { to: dead, maxReceiveCount: 2 } });
  const code = `export const handler = async ({ Records }) => {
    for (const { body, attributes } of Records) console.log(body + attributes.ApproximateReceiveCount);
    throw new Error("no");
  };`;
  const options = functionOf(code);
  await using _ = map(queue, options);
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  dead.whenVisible(() => dead.depth === 2 && resolve());
  await sendAll(queue, ["a", "b"]);
  await arrived;
  expect(options.output.lines.filter((line) => /^[ab]\d$/.test(line)).toSorted()).toEqual(["a1", "a2", "b1", "b2"]);
});

test("slow invocations run side by side up to the maximum concurrency", async () => {
  const queue = createQueue();
  await sendAll(
    queue,
    Array.from({ length: 14 }, (_, index) => String(index)),
  );
  const folder = JSON.stringify(temporaryFolder());
  // The first three end when all of them have begun, the others after a time in which a fourth one could begin.
  const code = `
    import { readdirSync, watch, writeFileSync } from "node:fs";
    // One clock for all threads: their time origins may be some milliseconds apart.
    const now = () => Number(process.hrtime.bigint()) / 1e6;
    export const handler = async (_, { awsRequestId }) => {
      const begin = now();
      const three = Promise.withResolvers();
      const look = () => readdirSync(${folder}).length >= 3 && three.resolve();
      const watcher = watch(${folder}, look);
      writeFileSync(${folder} + "/" + awsRequestId, "");
      look();
      await three.promise;
      watcher.close();
      await new Promise((resolve) => setTimeout(resolve, 60));
      console.log(JSON.stringify([begin, now()]));
    };`;
  const options = functionOf(code);
  await using _ = map(queue, options, { batchSize: 1, maximumConcurrency: 3 });
  await options.output.until((lines) => lines.length === 14);
  const spans = options.output.lines.map((line): [number, number] => JSON.parse(line));
  const mostAtOnce = Math.max(
    ...spans.map(([begin]) => spans.filter(([other, end]) => other <= begin && begin < end).length),
  );
  expect(mostAtOnce).toBe(3);
});

test("stop waits for what runs, and begins nothing more", async () => {
  const queue = createQueue();
  await sendAll(queue, ["a", "b"]);
  const code = `export const handler = async () => {
    console.log("begin");
    await new Promise((resolve) => setTimeout(resolve, 100));
  };`;
  const options = functionOf(code);
  await using mapping = map(queue, options, { batchSize: 1, maximumConcurrency: 1 });
  await options.output.until((lines) => lines.length === 1);
  await mapping.stop();
  await queue.send("c");
  expect(queue).toMatchObject({ depth: 2, counts: { deleted: 1 } });
  expect(options.output.lines).toEqual(["begin"]);
});

test("what runs when the mapping is disposed stays in the queue", async () => {
  const queue = createQueue();
  await queue.send("a");
  const code = `export const handler = () => new Promise(() => { console.log("begin"); setInterval(() => {}, 1000); });`;
  const options = functionOf(code);
  const mapping = map(queue, options);
  await options.output.until((lines) => lines.length === 1);
  await mapping[Symbol.asyncDispose]();
  expect(queue.depth).toBe(1);
});

test("a function that does not start is said so", async () => {
  await using mapping = map(createQueue(), functionOf("throw new Error('no scheme')"));
  await expect(mapping.started()).rejects.toThrow("no scheme");
});
