import { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { onTestFinished } from "vitest";
import type { ReceivedMessage } from "../../engine/services/in-flight-messages.ts";
import { Queue, type QueueOptions } from "../../engine/services/queue.ts";
import { QueueStore } from "../../engine/services/queue-store.ts";
import { ServiceEndpoint } from "../../engine/services/service-endpoint.ts";
import { sqsApi } from "../../engine/services/sqs-api.ts";
import { temporaryFolder, VirtualClock } from "../../engine/testing.ts";
import { createProbe } from "../../lambdas/circuit/probe.ts";
import { createReconcile } from "../../lambdas/circuit/reconcile.ts";
import { createDeliver } from "../../lambdas/forward/deliver.ts";
import { createForwardQueued } from "../../lambdas/forward/forward-queued.ts";
import { createSchedule } from "../../lambdas/forward/policy.ts";
import type { Report } from "../../lambdas/forward/report.ts";
import type { Lane, Opening } from "../../lambdas/forward/route-gate.ts";
import { ApiConnection } from "../../lambdas/forward/send.ts";
import { AttemptLog } from "../../lambdas/store/attempt-log.ts";
import { DeadLetters } from "../../lambdas/store/dead-letters.ts";
import { RouteStates } from "../../lambdas/store/route-states.ts";
import { startTables } from "../../lambdas/store/testing.ts";
import type { Scheme } from "../../scheme/scheme.ts";

const batchSize = 10;
/** What the functions' time limit leaves of SQS's 12 hours. */
const maximumDelaySeconds = 43_200 - 145;
const visibilityTimeoutMs = 6 * 145_000;
const dayMs = 86_400_000;

export interface VirtualWayOptions {
  readonly scheme: Scheme;
  readonly apiUrl: string;
  /** How often the function `circuit` is invoked. */
  readonly tickMs: number;
}

/**
 * The way of one route's messages from its queue on, on a clock that only the test moves: the engine's queues on disk,
 * the code of the functions, DynamoDB, SQS's API and requests over HTTP. Of Lambda there is what lies between them:
 * receive, invoke, settle, and a mapping that can be paused.
 */
export async function startVirtualWay({ scheme, apiUrl, tickMs }: VirtualWayOptions) {
  const route = [...scheme.routes.values()][0];
  if (route === undefined) throw new Error("a scheme with a route is wanted");
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const now = () => clock.now();
  const random = () => 0.5;
  const store = new QueueStore(temporaryFolder());
  const queue = (name: string, redrive: QueueOptions["redrive"], account?: string) => {
    const arn = `arn:aws:sqs:us-east-1:000000000000:${name}`;
    const limits = { visibilityTimeoutMs, retentionMs: 14 * dayMs, maximumMessageBytes: 1_048_576 };
    return new Queue({ name, arn, ...limits, redrive, account }, store, clock);
  };
  const dead = queue("dead", undefined);
  const retry = queue("retry", { to: dead, maxReceiveCount: 1000 }, route.name);
  const fresh = queue("fresh", { to: retry, maxReceiveCount: 1 }, route.name);
  const lanes = { fresh, retry };

  const retryUrl = "https://sqs.us-east-1.amazonaws.com/000000000000/retry";
  const endpoint = await ServiceEndpoint.start({ sqs: sqsApi(new Map([[retryUrl, retry]])) });
  const sqs = new SQSClient({
    endpoint: endpoint.url("sqs"),
    useQueueUrlAsEndpoint: false,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const connection = new ApiConnection(new URL(apiUrl), { connections: 20, timeoutMs: scheme.api.timeoutMs });
  onTestFinished(async () => {
    sqs.destroy();
    for (const each of [fresh, retry, dead]) each[Symbol.dispose]();
    store[Symbol.dispose]();
    await connection[Symbol.asyncDispose]();
    await endpoint[Symbol.asyncDispose]();
  });

  const { client, ...tables } = await startTables();
  const states = new RouteStates(client, tables.deliveries, now);
  const attemptLog = new AttemptLog(client, tables.deliveries, now);
  const deadLetters = new DeadLetters(client, tables.deadLetters, scheme.deadLetters.days, now);
  const noFields = { fields: [], overridden: new Set<string>(), secretNames: new Set<string>(), signingKeys: [] };
  const deliver = createDeliver({ apiUrl: new URL(apiUrl), apiHeaders: async () => noFields, connection, now });
  const report = silentReport();
  const alarms: Opening[] = [];
  const onError = (error: unknown) => {
    throw error;
  };
  const forwardOf = (lane: Lane) =>
    createForwardQueued({
      ...{ scheme, lane, deliver, report, states, attemptLog, deadLetters, parallelRequests: batchSize },
      ...{ maximumDelaySeconds, now, random, onError },
      keep: async () => {},
      announce: async (_, opening) => {
        alarms.push(opening);
        await reconcile(route.name, mappings);
      },
      changeVisibility: async (changes) => {
        for (const { receiptHandle, seconds } of changes) {
          lanes[lane].changeVisibility(receiptHandle, seconds * 1000);
        }
      },
    });
  const forward = { fresh: forwardOf("fresh"), retry: forwardOf("retry") };
  let isRetryEnabled = true;
  const mappings = {
    setEnabled: async (_: string, isEnabled: boolean) => {
      isRetryEnabled = isEnabled;
    },
  };
  const nextStep = createSchedule({ delaysSeconds: undefined, maximumDelaySeconds, random });
  const probe = createProbe({
    ...{ client: sqs, queueUrl: () => retryUrl, routes: scheme.routes },
    ...{ attemptLog, states, deliver, nextStep, report, now, onError },
    waitSeconds: 0,
  });
  const reconcile = createReconcile({ states, probe, onOpen: () => {}, onClosed: () => {}, now });

  /** One invocation with a batch of a lane, if there is one. */
  const invoke = async (lane: Lane, received: readonly ReceivedMessage[]): Promise<void> => {
    const { arn: eventSourceARN } = lanes[lane].options;
    const records = received.map(({ messageId, receiptHandle, body }) => {
      return { messageId, receiptHandle, body, eventSourceARN } as SQSRecord;
    });
    const { batchItemFailures, dead: ended = [] } = await forward[lane](records);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const message of received) {
      if (failed.has(message.messageId)) lanes[lane].giveBack(message);
      else lanes[lane].delete(message, ended.includes(message.messageId) ? "dead" : "delivered");
    }
  };

  /** Invokes `forward` with batches of a lane until none is left; says whether there was one. */
  const drain = async (lane: Lane): Promise<boolean> => {
    let hasWorked = false;
    while (lane === "fresh" || isRetryEnabled) {
      const received = lanes[lane].receive(batchSize);
      store.flush(); // ends the moves to the retry queue, too
      if (received.length > 0) await invoke(lane, received);
      else if (lanes[lane].attributes.visible === 0) break;
      hasWorked ||= received.length > 0;
    }
    return hasWorked;
  };

  let tickAt = now() + tickMs;
  const way = {
    now,
    alarms,
    states,
    deadLetters,
    attemptLog,
    /** Sends a message as the route's topic rule would. */
    async send(deviceId: string, lane: Lane = "fresh", id?: string): Promise<string> {
      const message = {
        data: Buffer.from('{"header":{},"body":{"lat":1.0}}').toString("base64"),
        topic: route.topic.filter.replace("+", deviceId),
        route: route.name,
        receivedAt: now(),
        ...(id === undefined ? {} : { id }),
      };
      return await lanes[lane].send(JSON.stringify(message));
    },
    /** Does everything that can be done without time going on. */
    async work(): Promise<void> {
      let hasWorked = true;
      while (hasWorked) {
        const hasFresh = await drain("fresh");
        hasWorked = (await drain("retry")) || hasFresh;
      }
    },
    /** Lets time pass in steps, with everything done that becomes due. */
    async pass(ms: number, stepMs = tickMs): Promise<void> {
      const end = now() + ms;
      while (now() < end) {
        clock.advance(Math.min(stepMs, end - now()));
        await way.work();
        if (now() < tickAt) continue;
        tickAt = now() + tickMs;
        await reconcile(route.name, mappings);
        await way.work();
      }
    },
    /** The ledger's line of the route. */
    ledger() {
      store.flush();
      return store.readLedger().find(({ account }) => account === route.name);
    },
  };
  return way;
}

/** A report that nobody reads. */
function silentReport(): Report {
  const nothing = () => {};
  const report: Pick<Report, "received" | "deadLettered" | "add" | "publish" | "publishNowAndThen"> = {
    ...{ received: nothing, deadLettered: nothing, add: nothing, publish: nothing, publishNowAndThen: nothing },
  };
  return report as Report;
}
