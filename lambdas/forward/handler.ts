import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { Context, SQSEvent } from "aws-lambda";
import scheme from "#scheme";
import type { BatchAnswer } from "../settle-each.ts";
import { createDeliver } from "./deliver.ts";
import { readEnvironment } from "./environment.ts";
import { forwardDirect } from "./forward-direct.ts";
import { Report } from "./report.ts";
import { createRequestParts } from "./request-parts.ts";

// Once per execution environment.
const settings = readEnvironment(process.env);
const { routes } = scheme;
const logger = new Logger();
const metrics = new Metrics();
const report = new Report({ logger, metrics, routes });
// Only where there are commands, and while the code loads: the clients of AWS take most of that time.
const { onlineEvents } = settings;
const online = onlineEvents && (await import("./online.ts")).createOnlineDevices(onlineEvents, logger);
const parts = { scheme, logger, metrics, report, online, ...createRequestParts(scheme, settings, logger) };
const deliver = createDeliver(parts);
// What only queues need are the clients of AWS, most of the time that the code takes to load.
const forwardQueued =
  settings.lane === "direct" ? undefined : (await import("./queued.ts")).createQueued(settings, parts);

/** Takes one message as a topic rule hands it over, or a batch of them from a queue. */
export async function handler(event: unknown, context: Context): Promise<BatchAnswer | undefined> {
  try {
    if (forwardQueued !== undefined) return await forwardQueued((event as SQSEvent).Records);
    await forwardDirect(event, context.awsRequestId, { deliver, report, routes, online });
    return undefined;
  } finally {
    if (online !== undefined) await online.settled();
  }
}
