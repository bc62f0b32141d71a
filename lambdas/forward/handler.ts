import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import scheme from "#scheme";
import { createApiHeaders } from "./api-headers.ts";
import { createDeliver } from "./deliver.ts";
import { readEnvironment } from "./environment.ts";
import { forwardBatch } from "./forward-batch.ts";
import { forwardDirect } from "./forward-direct.ts";
import { Report } from "./report.ts";
import { fetchSecret } from "./secrets.ts";
import { ApiConnection } from "./send.ts";

// Once per execution environment.
const { apiUrl, parallelRequests } = readEnvironment(process.env);
const { routes, api } = scheme;
const logger = new Logger();
const connection = new ApiConnection(apiUrl, { connections: parallelRequests, timeoutMs: api.timeoutMs });
const apiHeaders = createApiHeaders({
  headers: api.headers,
  signing: api.signing,
  fetchSecret,
  onStale: (error) => logger.warn("secret not looked up again, the value before is kept", { error: String(error) }),
});
const options = {
  deliver: createDeliver({ routes, apiUrl, apiHeaders, connection }),
  report: new Report({ logger, metrics: new Metrics(), routes }),
  parallelRequests,
};

/** Takes one message as a topic rule hands it over, or a batch of them from a queue. */
export async function handler(event: unknown, context: Context): Promise<SQSBatchResponse | undefined> {
  if (isSqsEvent(event)) return await forwardBatch(event.Records, options);
  await forwardDirect(event, context.awsRequestId, options);
  return undefined;
}

/** A topic rule's selection has columns of its own, and none of them is `Records`. */
function isSqsEvent(event: unknown): event is SQSEvent {
  return typeof event === "object" && event !== null && "Records" in event && Array.isArray(event.Records);
}
