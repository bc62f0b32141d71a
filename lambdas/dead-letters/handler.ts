import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import scheme from "#scheme";
import { AttemptLog } from "../store/attempt-log.ts";
import { type DeadLetter, DeadLetters } from "../store/dead-letters.ts";
import { documentClient } from "../store/tables.ts";
import { readEnvironment } from "./environment.ts";
import { recordBatch } from "./record-batch.ts";

// Once per execution environment.
const { deliveriesTable, deadLettersTable } = readEnvironment(process.env);
const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const options = {
  routes: scheme.routes,
  attemptLog: new AttemptLog(client, deliveriesTable),
  deadLetters: new DeadLetters(client, deadLettersTable, scheme.deadLetters.days),
  onRecorded: ({ id, route, reason, detail }: DeadLetter) => {
    logger.warn("dead letter", { messageId: id, route, code: reason, reason: detail });
    const metric = metrics.singleMetric();
    metric.addDimension("route", route);
    metric.addMetric("DeadLettered", MetricUnit.Count, 1);
  },
  onError: (error: unknown, messageId: string | undefined) => {
    logger.error("dead letter not recorded", { messageId, error: String(error) });
  },
};

/** Takes a batch of the dead-letter queue. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  return await recordBatch(Records, options);
}
