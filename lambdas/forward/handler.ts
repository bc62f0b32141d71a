import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { Context, SQSEvent } from "aws-lambda";
import scheme from "#scheme";
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
const take = await createTake();

/** Takes one message as a topic rule hands it over, a batch of them from a queue, or a frame. */
export async function handler(event: unknown, context: Context): Promise<unknown> {
  try {
    return await take(event, context);
  } finally {
    if (online !== undefined) await online.settled();
  }
}

async function createTake(): Promise<(event: unknown, context: Context) => Promise<unknown>> {
  switch (settings.lane) {
    case "direct": {
      const deliver = createDeliver(parts);
      return (event, { awsRequestId }) => forwardDirect(event, awsRequestId, { ...parts, deliver, routes });
    }
    // What only these need are the clients of AWS, most of the time that the code takes to load.
    case "fresh":
    case "retry": {
      const forward = (await import("./queued.ts")).createQueued(settings, parts);
      return (event) => forward((event as SQSEvent).Records);
    }
    case "frames":
      return (await import("./frames/frames.ts")).createFrames(settings, parts);
    default:
      return settings satisfies never;
  }
}
