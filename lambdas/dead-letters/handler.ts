import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { SQSEvent } from "aws-lambda";
import scheme from "#scheme";
import { ingestSources } from "../../scheme/ingest.ts";
import type { BatchAnswer } from "../settle-each.ts";
import { AttemptLog } from "../store/attempt-log.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { documentClient } from "../store/tables.ts";
import { createTellDeadLetter } from "../tell-dead-letter.ts";
import { readEnvironment } from "./environment.ts";
import { recordBatch } from "./record-batch.ts";

// Once per execution environment.
const { deliveriesTable, deadLettersTable } = readEnvironment(process.env);
const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const options = {
  sources: ingestSources(scheme),
  framesRuleName: scheme.framesRuleName,
  attemptLog: new AttemptLog(client, deliveriesTable),
  deadLetters: new DeadLetters(client, deadLettersTable, scheme.deadLetters.days),
  onRecorded: createTellDeadLetter({ logger, metrics }),
  onError: (error: unknown, messageId: string | undefined) => {
    logger.error("dead letter not recorded", { messageId, error: String(error) });
  },
};

/** Takes a batch of the dead-letter queue. */
export async function handler({ Records }: SQSEvent): Promise<BatchAnswer> {
  return await recordBatch(Records, options);
}
