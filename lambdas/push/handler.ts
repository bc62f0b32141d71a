import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import scheme from "#scheme";
import { readEnvironment } from "../commands/environment.ts";
import { openFeeds } from "../commands/feeds.ts";
import { openCommands } from "../commands/open-commands.ts";
import { openPublishers } from "../publish/open-publishers.ts";
import { fetchSecret } from "../secrets.ts";
import { IdempotencyKeys } from "../store/idempotency-keys.ts";
import { documentClient } from "../store/tables.ts";
import { createPush } from "./push.ts";
import { Report } from "./report.ts";

// Once per execution environment.
const { commandsTable: table, brokerUrls } = readEnvironment(process.env);
const { commands, brokers } = scheme;
const logger = new Logger();
const client = documentClient();
const publishers = openPublishers({ brokers, urls: brokerUrls, fetchSecret });

/** Takes every request of the push endpoint, also those that no route of the gateway has. */
export const handler = createPush({
  commands:
    commands &&
    openCommands({
      ...{ client, table, publishers, scheme: { commands } },
      onDeaf: (error) => logger.warn("a broker's replies are not heard", { error: String(error) }),
    }),
  feeds: openFeeds(publishers),
  scheme,
  keys: new IdempotencyKeys(client, table),
  report: new Report({ logger, metrics: new Metrics() }),
  now: Date.now,
  onForgotten: (error) => logger.warn("an answer is not kept for its Idempotency-Key", { error: String(error) }),
});
