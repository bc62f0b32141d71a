import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Context, SQSEvent } from "aws-lambda";
import scheme from "#scheme";
import { readEnvironment } from "../commands/environment.ts";
import { openParts } from "../commands/open-commands.ts";
import { resendRequests, sweep } from "../commands/sweep.ts";
import { openPublishers } from "../publish/open-publishers.ts";
import { fetchSecret } from "../secrets.ts";
import { type BatchAnswer, settleEach } from "../settle-each.ts";
import { isSqsEvent } from "../sqs-event.ts";
import { BrokerMarks } from "../store/broker-marks.ts";
import { DueItems } from "../store/due-items.ts";
import { documentClient } from "../store/tables.ts";
import { readOnlineEvent } from "./online-events.ts";

/** Left of an invocation's time when no new work is begun: a publication, and what is written down of it. */
const marginMs = 10_000;

// Once per execution environment.
const { commandsTable: table, brokerUrls } = readEnvironment(process.env);
const { commands, brokers } = scheme;
if (commands === undefined) throw new Error("the scheme has no commands, there is nothing to sweep");
const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const parts = openParts({
  ...{ client, table, scheme: { commands } },
  publishers: openPublishers({ brokers, urls: brokerUrls, fetchSecret }),
});
const others = { marks: new BrokerMarks(client, table), dueItems: new DueItems(client, table) };

/** Takes messages of the online queue, each naming a device that is there, or the event of a schedule. */
export async function handler(event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<unknown> {
  return isSqsEvent(event) ? await resend(event) : await sweepAll(Date.now() + context.getRemainingTimeInMillis());
}

async function resend({ Records }: SQSEvent): Promise<BatchAnswer> {
  return await settleEach(
    Records,
    async (record) => {
      const { deviceId } = readOnlineEvent(record);
      const requests = await resendRequests(deviceId, parts);
      if (requests > 0) logger.info("sent again", { deviceId, requests });
      return "done";
    },
    (error, messageId) => logger.error("not sent again", { messageId, error: String(error) }),
  );
}

async function sweepAll(endAt: number): Promise<void> {
  const swept = await sweep({
    ...{ ...parts, ...others, deadlineAt: endAt - marginMs },
    onError: (error, subject) => {
      logger.error("left to the next sweep", { subject, error: String(error) });
      metrics.addMetric("SweepFailed", MetricUnit.Count, 1);
    },
  });
  metrics.publishStoredMetrics();
  if (swept.commands + swept.devices + swept.synced > 0) logger.info("swept", { ...swept });
}
