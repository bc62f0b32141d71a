import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { openFeeds } from "../../lambdas/commands/feeds.ts";
import { openCommands } from "../../lambdas/commands/open-commands.ts";
import type { CommandPublisher } from "../../lambdas/publish/command-publisher.ts";
import { openPublishers } from "../../lambdas/publish/open-publishers.ts";
import { createPush } from "../../lambdas/push/push.ts";
import { Report } from "../../lambdas/push/report.ts";
import { IdempotencyKeys } from "../../lambdas/store/idempotency-keys.ts";
import { documentClient } from "../../lambdas/store/tables.ts";
import scheme from "./push.config.ts";

/** What a process of the push endpoint is started with, as its only argument, in JSON. */
export interface PushProcessOptions {
  readonly table: string;
  readonly brokerUrl: string;
  /** Where it kills itself; nowhere by default. */
  readonly crashPoint?: CrashPoint;
  /** How far its clock is ahead of the others'. */
  readonly aheadMs?: number;
}

/** When the command is recorded, when it is published, or when all is done but for the answer. */
export type CrashPoint = "record" | "publication" | "answer";

/** A call; calls are answered in any order. */
export interface PushCall {
  readonly number: number;
  readonly event: APIGatewayProxyEventV2;
}

export interface PushAnswer {
  readonly number: number;
  readonly answer: APIGatewayProxyStructuredResultV2;
}

// The endpoint as its Lambda function composes it, but for the crashes.
const { table, brokerUrl, crashPoint, aheadMs = 0 }: PushProcessOptions = JSON.parse(process.argv[2] ?? "");
const now = () => Date.now() + aheadMs;
const client = documentClient();
const publishers = openPublishers({
  ...{ brokers: scheme.brokers, urls: [brokerUrl] },
  fetchSecret: () => Promise.reject(new Error("there are no secrets")),
}).map(crashing);
const { commands } = scheme;
if (commands === undefined) throw new Error("the scheme has commands");
const quiet = { info: () => {}, error: () => {} };
const uncounted = { addDimension: () => {}, addMetric: () => {}, publishStoredMetrics: () => {} };
const push = createPush({
  ...{ scheme, now, feeds: openFeeds(publishers), keys: new IdempotencyKeys(client, table, now) },
  commands: openCommands({ client, table, publishers, scheme: { commands }, now, onDeaf: console.error }),
  report: new Report({ logger: quiet, metrics: uncounted as never }),
  onForgotten: console.error,
});

process.on("message", async ({ number, event }: PushCall) => {
  const answer = await push(event);
  if (crashPoint === "answer") die();
  process.send?.({ number, answer } satisfies PushAnswer);
});
process.send?.("ready");

/** Kills the process before or after a command's publication. */
function crashing(publisher: CommandPublisher): CommandPublisher {
  return {
    name: publisher.name,
    async publish(message, options) {
      if (crashPoint === "record") die();
      await publisher.publish(message, options);
      if (crashPoint === "publication") die();
    },
    readRetained: (topic, options) => publisher.readRetained(topic, options),
    listen: (topic, onMessage, options) => publisher.listen(topic, onMessage, options),
    [Symbol.asyncDispose]: () => publisher[Symbol.asyncDispose](),
  };
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable: the signal cannot be handled");
}
