import { cpSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Delivery } from "../client/intake.ts";
import { type LossyLine, startLossyLine } from "../test/support/lossy-line.ts";
import { startMosquitto, type TestBroker } from "../test/support/mosquitto.ts";
import { connectAs } from "../test/support/mqtt-client.ts";
import { BrokerConnection } from "./broker-connection.ts";
import { Engine, type IncomingMessage } from "./engine.ts";
import type { Queue } from "./services/queue.ts";
import { TestQueues } from "./services/queue-testing.ts";
import { readLedger } from "./services/read-ledger.ts";
import { readAssembly } from "./template/assembly.ts";
import { readPlan } from "./template/read-plan.ts";
import { temporaryFolder, writeAssembly } from "./testing.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startMosquitto(
    ({ port, user }) =>
      new Map([["mosquitto.conf", `user ${user}\nlistener ${port} 127.0.0.1\nallow_anonymous true\nlog_type all\n`]]),
  );
});

afterAll(() => broker[Symbol.asyncDispose]());

const queue = (name: string) => ({ Type: "AWS::SQS::Queue", Properties: { QueueName: name } });
const rule = (name: string) => ({
  Type: "AWS::IoT::TopicRule",
  Properties: {
    RuleName: name,
    TopicRulePayload: {
      Sql: "SELECT * FROM 'v1/+'",
      AwsIotSqlVersion: "2016-03-23",
      Actions: [{ Sqs: { QueueUrl: { Ref: name } } }],
    },
  },
});

function startEngine(dataFolder: string, names: readonly string[]): Promise<Engine> {
  const entries = names.flatMap((name) => [
    [name, queue(name)],
    [`${name}Rule`, rule(name)],
  ]);
  const assembly = writeAssembly({ Resources: Object.fromEntries(entries) });
  return Engine.start(readPlan(readAssembly(assembly)), { dataFolder });
}

/** Deliveries of the one message, and a connection to the broker that takes them. */
async function connect(
  clientId: string,
  line: LossyLine,
  accept: (message: IncomingMessage, delivery?: Delivery) => Promise<void>,
) {
  const deliveries: (Delivery | undefined)[] = [];
  let taken = Promise.withResolvers<void>();
  const connection = await BrokerConnection.open({
    url: `mqtt://127.0.0.1:${line.port}`,
    clientId,
    topicFilters: ["v1/+"],
    log: () => {},
    accept: async (message, delivery) => {
      deliveries.push(delivery);
      await accept(message, delivery);
      taken.resolve();
    },
  });
  const next = async () => {
    await taken.promise;
    taken = Promise.withResolvers();
  };
  return Object.assign(connection, { deliveries, next });
}

async function publish(text: string): Promise<void> {
  await using device = await connectAs(broker.url, "d42");
  await device.publish("v1/d42", text);
}

function messageIds(queue: Queue): readonly string[] {
  return queue.receive(10).map(({ messageId }) => messageId);
}

test("a message whose acknowledgement was lost in a crash gets the id that it had", async () => {
  await using line = await startLossyLine(Number(new URL(broker.url).port));
  const dataFolder = temporaryFolder();
  const crashedFolder = temporaryFolder();
  {
    await using engine = await startEngine(dataFolder, ["orders"]);
    await using connection = await connect("crash", line, (message, delivery) => engine.accept(message, delivery));
    await publish("before");
    await connection.next();
    await broker.logged(/Received PUBACK from crash/, 0);
    line.lose();
    await publish("a");
    await connection.next();
    // The message is on disk, its acknowledgement on its way.
    cpSync(dataFolder, crashedFolder, { recursive: true });
    line.cut();
    expect(connection.deliveries).toEqual([
      { packetIdentifier: 1, isRedelivery: false },
      { packetIdentifier: 2, isRedelivery: false },
    ]);
  }
  {
    await using engine = await startEngine(crashedFolder, ["orders"]);
    await using connection = await connect("crash", line, (message, delivery) => engine.accept(message, delivery));
    await connection.next();
    expect(connection.deliveries).toEqual([{ packetIdentifier: 2, isRedelivery: true }]);
  }
  const [line1] = readLedger(crashedFolder);
  expect(line1).toMatchObject({ account: "orders", received: 3, pending: 3 });
  const ids = messageIds(new TestQueues({}, crashedFolder).open());
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(2);
  expect(ids[1]).toBe(ids[2]);
});

test("so does one whose acknowledgement was lost with the connection, in the queue of each rule", async () => {
  await using line = await startLossyLine(Number(new URL(broker.url).port));
  const dataFolder = temporaryFolder();
  {
    await using engine = await startEngine(dataFolder, ["one", "two"]);
    await using connection = await connect("reconnect", line, (message, delivery) => engine.accept(message, delivery));
    line.lose();
    await publish("a");
    await connection.next();
    line.cut();
    await connection.next();
    expect(connection.deliveries).toMatchObject([{ isRedelivery: false }, { isRedelivery: true }]);
    expect(connection.deliveries[1]?.packetIdentifier).toBe(connection.deliveries[0]?.packetIdentifier);
  }
  const queues = new TestQueues({}, dataFolder);
  const [one, two] = ["one", "two"].map((name) => messageIds(queues.open({ name })));
  expect(one).toHaveLength(2);
  expect(new Set(one).size).toBe(1);
  expect(new Set(two).size).toBe(1);
  expect(new Set([...(one ?? []), ...(two ?? [])]).size).toBe(2);
});

test.for([
  ["another message", { packetIdentifier: 1, isRedelivery: true }, "b"],
  ["the same bytes under another packet identifier", { packetIdentifier: 2, isRedelivery: true }, "a"],
  ["the same bytes that are not delivered again", { packetIdentifier: 1, isRedelivery: false }, "a"],
] as const)("%s has an id of its own", async ([, delivery, text]) => {
  const dataFolder = temporaryFolder();
  {
    await using engine = await startEngine(dataFolder, ["orders"]);
    const message = (payload: string) => ({ topic: "v1/d42", payload: Buffer.from(payload) });
    await engine.accept(message("a"), { packetIdentifier: 1, isRedelivery: false });
    await engine.accept(message(text), delivery);
  }
  expect(new Set(messageIds(new TestQueues({}, dataFolder).open())).size).toBe(2);
});
