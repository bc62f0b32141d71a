import { cpSync } from "node:fs";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import { checkLedger, type LedgerLine } from "./services/ledger.ts";
import { readLedger } from "./services/read-ledger.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";
import { bundle, Output, temporaryFolder, writeAssembly } from "./testing.ts";

const queue = (target?: string) => ({
  Type: "AWS::SQS::Queue",
  Properties: {
    VisibilityTimeout: 1,
    ...(target === undefined
      ? {}
      : { RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": [target, "Arn"] }, maxReceiveCount: 1 } }),
  },
});
const lambda = {
  Type: "AWS::Lambda::Function",
  Properties: { Code: { S3Key: "code.zip" }, Handler: "index.handler", Runtime: "nodejs24.x", Timeout: 1 },
};
const mapping = (of: string) => ({
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: {
    EventSourceArn: { "Fn::GetAtt": [of, "Arn"] },
    FunctionName: { Ref: "Forward" },
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    BatchSize: 1,
  },
});
const rule = (name: string, sql: string, action: object, rest: object = {}) => ({
  Type: "AWS::IoT::TopicRule",
  Properties: {
    RuleName: name,
    TopicRulePayload: { Sql: sql, AwsIotSqlVersion: "2016-03-23", Actions: [action], ...rest },
  },
});
const resources = {
  Dead: queue(),
  Retry: queue("Dead"),
  Fresh: queue("Retry"),
  Forward: lambda,
  FreshMapping: mapping("Fresh"),
  RetryMapping: mapping("Retry"),
  Permission: {
    Type: "AWS::Lambda::Permission",
    Properties: {
      Action: "lambda:InvokeFunction",
      FunctionName: { Ref: "Forward" },
      Principal: "iot.amazonaws.com",
    },
  },
  Durable: rule("durable", "SELECT * FROM 'durable' WHERE text <> 'filtered'", { Sqs: { QueueUrl: { Ref: "Fresh" } } }),
  Fast: rule(
    "fast",
    "SELECT * FROM 'fast'",
    { Lambda: { FunctionArn: { "Fn::GetAtt": ["Forward", "Arn"] } } },
    { ErrorAction: { Sqs: { QueueUrl: { Ref: "Dead" } } } },
  ),
};

/** Does with a message as its text says, and prints it first. */
const code = `
  const perform = (text) => {
    console.log(text);
    if (text === "hang") return new Promise(() => {});
    if (text === "fails") throw new Error("no");
    return text === "given up" ? "dead" : undefined;
  };
  export const handler = async (event) => {
    if (event.Records === undefined) return perform(event.text);
    const [{ messageId, body }] = event.Records;
    const end = await perform(JSON.parse(body).text);
    return { batchItemFailures: [], dead: end === "dead" ? [messageId] : [] };
  };`;

async function start(dataFolder = temporaryFolder()) {
  const output = new Output();
  const assembly = writeAssembly({ Resources: resources }, { "code.zip": bundle(code) });
  const engine = await Engine.start(readPlan(readAssembly(assembly)), {
    dataFolder,
    onOutput: (_, line) => output.add(line),
  });
  const send = (topic: string, text: string | undefined, qos: 0 | 1) =>
    engine.accept(
      { topic, payload: Buffer.from(text === undefined ? "\0" : JSON.stringify({ text })) },
      qos === 0 ? undefined : { packetIdentifier: 1, isRedelivery: false },
    );
  return Object.assign(engine, { output, send, dataFolder });
}

/** What is not zero, by account. */
function summary(lines: readonly LedgerLine[]): object {
  expect(checkLedger(lines)).toEqual(lines.map(({ account }) => ({ account, difference: 0 })));
  return Object.fromEntries(
    lines.map(({ account, ...amounts }) => [
      account,
      Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0)),
    ]),
  );
}

test("a rule that had no message is a line of the ledger", async () => {
  await using engine = await start();
  expect(summary(engine.ledger())).toEqual({ durable: {}, fast: {} });
});

test("every message of QoS 1 is in the ledger with what became of it, and in the counts", async () => {
  await using engine = await start();
  for (const text of ["delivered", "filtered", "given up", "fails"]) await engine.send("durable", text, 1);
  await expect
    .poll(() => summary(engine.ledger()), { timeout: 10_000 })
    .toMatchObject({ durable: { received: 4, delivered: 1, filtered: 1, dead: 2 } });
  // Once in each queue, and the visibility timeout of the one is over before the other has it.
  expect(engine.output.lines.filter((line) => line === "fails")).toHaveLength(2);
  expect(engine.counts).toMatchObject({ received: 4, pending: 0, delivered: 1, failed: 2, dead: 2, lost: 0 });
});

test("messages of QoS 0 are pending while they wait or run, and dropped after a crash", async () => {
  await using engine = await start();
  await engine.send("fast", "hang", 0);
  await engine.output.until((lines) => lines.includes("hang"));
  await engine.send("fast", "delivered", 0);
  // No JSON: the error action has it.
  await engine.send("fast", undefined, 0);
  expect(summary(engine.ledger())).toEqual({ durable: {}, fast: { received: 3, dead: 1, pending: 2 } });
  const crashed = temporaryFolder();
  cpSync(engine.dataFolder, crashed, { recursive: true });
  expect(summary(readLedger(crashed))).toEqual({ durable: {}, fast: { received: 3, dead: 1, dropped: 2 } });
  expect(engine.counts).toMatchObject({ received: 3, dead: 1, pending: 0 });
});

test("the ledger goes on after a restart", async () => {
  const dataFolder = temporaryFolder();
  for (const times of [1, 2]) {
    await using engine = await start(dataFolder);
    await engine.send("durable", "delivered", 1);
    await engine.send("fast", "delivered", 0);
    const delivered = { received: times, delivered: times };
    await expect.poll(() => summary(engine.ledger())).toEqual({ durable: delivered, fast: delivered });
  }
  const line = { received: 2, delivered: 2 };
  expect(summary(readLedger(dataFolder))).toEqual({ durable: line, fast: line });
});
