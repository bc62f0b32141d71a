import type { Metrics } from "@aws-lambda-powertools/metrics";
import type { SQSRecord } from "aws-lambda";
import { expect, onTestFinished } from "vitest";
import type { BatchAnswer } from "../settle-each.ts";
import { AttemptLog } from "../store/attempt-log.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { RouteStates } from "../store/route-states.ts";
import { startTables } from "../store/testing.ts";
import { createApiHeaders } from "./api-headers.ts";
import { createDeliver } from "./deliver.ts";
import { createForwardQueued } from "./forward-queued.ts";
import { Report } from "./report.ts";
import type { Lane, Opening } from "./route-gate.ts";
import { type Answer, ApiConnection } from "./send.ts";
import { ingestMessage, sqsRecord, testScheme } from "./test-message.ts";

/** What is said to SQS and to `circuit`, and what the API said. */
export interface Heard {
  /** Seconds that each message was put off the last time, by its id. */
  readonly delays: Map<string, number>;
  readonly alarms: { readonly route: string; readonly opening: Opening }[];
  readonly answers: Answer[];
}

/** One execution environment: takes batches. */
export type Environment = (records: readonly SQSRecord[]) => Promise<BatchAnswer>;

export interface EnvironmentOptions {
  readonly apiUrl: URL;
  readonly timeoutMs: number;
  readonly parallelRequests?: number;
}

/** Longest that SQS can keep a message invisible, less what an invocation may take. */
export const maximumDelaySeconds = 43_000;

/**
 * Execution environments of `forward` that share their tables, as on AWS, and a clock that stands until it is moved.
 * Everything is real but for SQS, the log and the metrics.
 */
export async function startEnvironments({ apiUrl, timeoutMs, parallelRequests = 1 }: EnvironmentOptions) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const now = () => clock.now;
  const { client, deliveries, deadLetters: letters } = await startTables();
  const heard: Heard = { delays: new Map(), alarms: [], answers: [] };
  const states = new RouteStates(client, deliveries, now);
  const attemptLog = new AttemptLog(client, deliveries, now);
  const deadLetters = new DeadLetters(client, letters, 14, now);
  const apiHeaders = createApiHeaders({
    headers: new Map(),
    signing: [],
    fetchSecret: async () => expect.unreachable(),
    onStale: (error) => expect.unreachable(String(error)),
  });

  const start = (lane: Lane): Environment => {
    const connection = new ApiConnection(apiUrl, { connections: parallelRequests, timeoutMs });
    onTestFinished(() => connection[Symbol.asyncDispose]());
    const listening: Pick<ApiConnection, "send"> = {
      send: async (request) => {
        const answer = await connection.send(request);
        heard.answers.push(answer);
        return answer;
      },
    };
    const { routes } = testScheme;
    return createForwardQueued({
      ...{ scheme: testScheme, lane, states, attemptLog, deadLetters, parallelRequests, maximumDelaySeconds, now },
      random: () => 0,
      deliver: createDeliver({ apiUrl, apiHeaders, connection: listening, now }),
      report: new Report({ logger: { warn: () => {} }, metrics: noMetrics, routes, now }),
      keep: async () => {},
      changeVisibility: async (changes) => {
        for (const { receiptHandle, seconds } of changes)
          heard.delays.set(receiptHandle.slice("handle-".length), seconds);
      },
      announce: async (route, opening) => void heard.alarms.push({ route, opening }),
      onError: (error) => expect.unreachable(String(error)),
    });
  };
  return { ...heard, clock, states, attemptLog, deadLetters, start };
}

/** A device's message on route `location`, in its queue; its id is the device's too. */
export function messageOf(deviceId: string): SQSRecord {
  return sqsRecord(deviceId, ingestMessage({ topic: `v1/drivers/${deviceId}/location` }));
}

/** The same on another route. */
export function messageElsewhere(deviceId: string): SQSRecord {
  return sqsRecord(deviceId, ingestMessage({ route: "collection", topic: `api/${deviceId}/x` }));
}

/** Counts for nobody. */
const noMetrics: Pick<Metrics, "addDimension" | "addMetric" | "publishStoredMetrics"> = {
  addDimension: () => noMetrics as Metrics,
  addMetric: () => noMetrics as Metrics,
  publishStoredMetrics: () => noMetrics as Metrics,
};
