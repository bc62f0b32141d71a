import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { SQSEvent } from "aws-lambda";
import scheme from "#scheme";
import type { ReplyStatus } from "../../scheme/command/command.ts";
import { repliesSource } from "../../scheme/ingest.ts";
import type { BatchAnswer } from "../settle-each.ts";
import { CommandLedger } from "../store/commands.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { documentClient } from "../store/tables.ts";
import { createTellDeadLetter } from "../tell-dead-letter.ts";
import { readEnvironment } from "./environment.ts";
import { recordReplies } from "./record-replies.ts";

// Once per execution environment.
const { commandsTable, deadLettersTable } = readEnvironment(process.env);
const { commands, deadLetters } = scheme;
if (commands === undefined) throw new Error("the scheme has no commands, and nobody replies to any");
const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const options = {
  source: repliesSource(commands),
  ledger: new CommandLedger(client, commandsTable),
  deadLetters: new DeadLetters(client, deadLettersTable, deadLetters.days),
  onDead: createTellDeadLetter({ logger, metrics }),
  onError: (error: unknown, messageId: string) => {
    logger.error("reply not recorded", { messageId, error: String(error) });
  },
};

/** Takes a batch of the replies' queue. */
export async function handler({ Records }: SQSEvent): Promise<BatchAnswer> {
  const counts = new Map<ReplyStatus, number>();
  const onRecorded = (status: ReplyStatus) => void counts.set(status, (counts.get(status) ?? 0) + 1);
  const answer = await recordReplies(Records, { ...options, onRecorded });
  for (const [status, count] of counts) {
    const metric = metrics.singleMetric();
    metric.addDimension("status", status);
    metric.addMetric("RepliesReceived", MetricUnit.Count, count);
  }
  return answer;
}
