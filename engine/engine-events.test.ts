import { cpSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { Engine } from "./engine.ts";
import { checkLedger, type LedgerLine } from "./services/ledger.ts";
import { readLedger } from "./services/read-ledger.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";
import { bundle, Output, temporaryFolder, VirtualClock, writeAssembly } from "./testing.ts";

const minute = 60_000;
const arnOf = (name: string) => ({ "Fn::GetAtt": [name, "Arn"] });
const topicRule = (name: string, payload: object) => ({
  Type: "AWS::IoT::TopicRule",
  Properties: { RuleName: name, TopicRulePayload: { AwsIotSqlVersion: "2016-03-23", ...payload } },
});
const mapping = {
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: {
    EventSourceArn: arnOf("Failed"),
    FunctionName: { Ref: "Forward" },
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    BatchSize: 1,
  },
};
/** Frames on their way to a function, a queue for those that fail, and a route that their members belong to. */
const resources = {
  Dead: { Type: "AWS::SQS::Queue" },
  Failed: {
    Type: "AWS::SQS::Queue",
    Properties: { RedrivePolicy: { deadLetterTargetArn: arnOf("Dead"), maxReceiveCount: 1 } },
  },
  Location: { Type: "AWS::SQS::Queue" },
  Forward: {
    Type: "AWS::Lambda::Function",
    Properties: { Code: { S3Key: "code.zip" }, Handler: "index.handler", Runtime: "nodejs24.x" },
  },
  Events: {
    Type: "AWS::Lambda::EventInvokeConfig",
    Properties: {
      FunctionName: { Ref: "Forward" },
      Qualifier: "$LATEST",
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: arnOf("Failed") } },
    },
  },
  Permission: {
    Type: "AWS::Lambda::Permission",
    Properties: { Action: "lambda:InvokeFunction", FunctionName: { Ref: "Forward" }, Principal: "iot.amazonaws.com" },
  },
  FramesRule: topicRule("frames", {
    Sql: "SELECT encode(*, 'base64') AS frame, clientid() AS broker",
    Actions: [{ Lambda: { FunctionArn: arnOf("Forward") } }],
  }),
  LocationRule: topicRule("location", {
    Sql: "SELECT * FROM 'location'",
    Actions: [{ Sqs: { QueueUrl: { Ref: "Location" } } }],
  }),
};

/** Does with a frame as its text says, and prints it first, with how it came. */
const code = `
  export const handler = async (event, { awsRequestId }) => {
    const isRecord = event.Records !== undefined;
    const { requestContext, requestPayload } = isRecord ? JSON.parse(event.Records[0].body) : {};
    const text = atob((requestPayload ?? event).frame);
    const how = isRecord ? requestContext.condition + " " + requestContext.approximateInvokeCount : "event";
    console.log([text, how, requestContext?.requestId ?? awsRequestId].join(" "));
    if (text === "hangs") await new Promise(() => {});
    if (text === "fails" && !isRecord) throw new Error("no");
    return { batchItemFailures: [], ledger: { location: { delivered: 3, dead: 1 }, unknown: { delivered: 1 } } };
  };`;

interface Setting {
  readonly dataFolder?: string;
  readonly clock?: VirtualClock;
  readonly more?: object;
}

async function start({ dataFolder = temporaryFolder(), clock = new VirtualClock(), more = {} }: Setting = {}) {
  const output = new Output();
  const assembly = writeAssembly({ Resources: { ...resources, ...more } }, { "code.zip": bundle(code) });
  const engine = await Engine.start(readPlan(readAssembly(assembly)), {
    dataFolder,
    queueConditions: clock,
    onOutput: (_, line) => output.add(line),
  });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  const printed = () => output.lines.filter((line) => /^(works|fails|hangs) /.test(line));
  return Object.assign(engine, {
    dataFolder,
    clock,
    accepts: (text: string, packetIdentifier: number, isRedelivery = false) =>
      engine.accept(
        { topic: "$aws/rules/frames/frames", payload: Buffer.from(text), clientId: "relay" },
        { packetIdentifier, isRedelivery },
      ),
    /** Resolves when so many invocations have begun, to what they printed, the request's id apart. */
    begun: async (count: number) => {
      await output.until(() => printed().length >= count);
      return printed().map((line) => line.slice(0, line.lastIndexOf(" ")));
    },
    requestIds: () => printed().map((line) => line.slice(line.lastIndexOf(" ") + 1)),
  });
}

type Started = Awaited<ReturnType<typeof start>>;

/** What `kill -9` would leave of the data right now, in a folder of its own. */
function crash({ dataFolder }: Started): string {
  const folder = temporaryFolder();
  cpSync(dataFolder, folder, { recursive: true });
  return folder;
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

test("a message for a function with an on-failure destination is on disk when it is accepted", async () => {
  const engine = await start();
  await engine.accepts("hangs", 1);
  const crashed = crash(engine);
  expect(summary(readLedger(crashed))).toEqual({ frames: { received: 1, pending: 1 }, location: {} });
  expect(engine.counts).toMatchObject({ received: 1, pending: 1, delivered: 0 });
  await engine.begun(1);
  const next = await start({ dataFolder: crashed });
  expect(await next.begun(1)).toEqual(["hangs event"]);
  expect(next.requestIds()).toEqual(engine.requestIds());
});

test("one that the broker delivers again has the request's id that it had", async () => {
  const engine = await start();
  await engine.accepts("works", 1);
  const next = await start({ dataFolder: crash(engine) });
  await next.accepts("works", 1, true);
  await next.accepts("works", 2);
  await next.begun(3);
  const [first, again, other] = next.requestIds();
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test("the members of an event are in the ledger as the function says, and the event as one message", async () => {
  const engine = await start();
  await engine.accepts("works", 1);
  await expect
    .poll(() => summary(engine.ledger()))
    .toEqual({ frames: { received: 1, delivered: 1 }, location: { received: 4, delivered: 3, dead: 1 } });
  expect(engine.counts).toMatchObject({ received: 1, pending: 0, delivered: 1, failed: 0, dead: 0 });
});

test("an event that failed is pending until the function has it from the on-failure queue, over restarts", async () => {
  const pending = { frames: { received: 1, pending: 1 }, location: {} };
  const clock = new VirtualClock();
  const engine = await start({ clock, more: { Mapping: mapping } });
  await engine.accepts("fails", 1);
  await expect.poll(() => engine.counts.failed).toBe(1);
  expect(summary(engine.ledger())).toEqual(pending);
  const paused = { ...mapping, Properties: { ...mapping.Properties, Enabled: false } };
  const next = await start({ clock, dataFolder: crash(engine), more: { Mapping: paused } });
  clock.advance(minute);
  expect(await next.begun(1)).toEqual(["fails event"]);
  await expect.poll(() => next.counts.failed).toBe(1);
  expect(summary(next.ledger())).toEqual(pending);
  expect(next.counts).toMatchObject({ pending: 1, dead: 0 });
  const last = await start({ clock, dataFolder: crash(next), more: { Mapping: mapping } });
  expect(await last.begun(1)).toEqual(["fails RetriesExhausted 2"]);
  expect(last.requestIds()).toEqual(engine.requestIds().slice(0, 1));
  await expect
    .poll(() => summary(last.ledger()))
    .toEqual({ frames: { received: 1, delivered: 1 }, location: { received: 4, delivered: 3, dead: 1 } });
});

test("an event that failed is dead in an on-failure queue that nothing reads", async () => {
  const engine = await start();
  await engine.accepts("fails", 1);
  await expect.poll(() => engine.counts.failed).toBe(1);
  engine.clock.advance(minute);
  await expect.poll(() => summary(engine.ledger())).toEqual({ frames: { received: 1, dead: 1 }, location: {} });
  expect(engine.counts).toMatchObject({ received: 1, pending: 0, delivered: 0, failed: 2, dead: 1, lost: 0 });
});

test("an event is invoked after a restart although no rule invokes the function any more", async () => {
  const engine = await start();
  await engine.accepts("hangs", 1);
  const FramesRule = topicRule("frames", { Sql: "SELECT 1 AS one", Actions: [], RuleDisabled: true });
  const next = await start({ dataFolder: crash(engine), more: { FramesRule } });
  expect(await next.begun(1)).toEqual(["hangs event"]);
});
