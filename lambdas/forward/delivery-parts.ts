import type { Logger } from "@aws-lambda-powertools/logger";
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Scheme } from "../../scheme/scheme.ts";
import { AttemptLog } from "../store/attempt-log.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { KeptMessages } from "../store/kept-messages.ts";
import { RouteStates } from "../store/route-states.ts";
import { documentClient, dynamoDbClient } from "../store/tables.ts";
import { createDeliver, type DeliverOptions } from "./deliver.ts";
import type { QueueSettings, StoreSettings } from "./environment.ts";
import { createKeep } from "./keep.ts";
import { createLease } from "./lease.ts";
import type { OnlineDevices } from "./online-devices.ts";
import type { Report } from "./report.ts";
import type { Opening } from "./route-gate.ts";
import { sqsClient } from "./visibility.ts";

/** What the handler has made that does not depend on the lane. */
export interface FunctionParts extends Omit<DeliverOptions, "lease" | "now"> {
  readonly scheme: Scheme;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly report: Report;
  readonly online: OnlineDevices | undefined;
}

/** Puts together what attempts messages and writes down what becomes of them, on AWS's services. */
export function createDeliveryParts(
  settings: StoreSettings & Pick<QueueSettings, "circuitQueueUrl">,
  parts: FunctionParts,
) {
  const { scheme, logger } = parts;
  const { deliveriesTable, deadLettersTable, messagesTable, circuitQueueUrl } = settings;
  const client = documentClient();
  const lease = createLease({ client: dynamoDbClient(), table: deliveriesTable, timeoutMs: scheme.api.timeoutMs });
  return {
    ...parts,
    deliver: createDeliver({ ...parts, lease }),
    states: new RouteStates(client, deliveriesTable),
    attemptLog: new AttemptLog(client, deliveriesTable),
    deadLetters: new DeadLetters(client, deadLettersTable, scheme.deadLetters.days),
    keep: messagesTable === undefined ? async () => {} : createKeep(new KeptMessages(client, messagesTable)),
    announce: (route: string, opening: Opening) => announce(route, opening, circuitQueueUrl, parts),
    onError: (error: unknown) => logger.error("not written down", { error: String(error) }),
  };
}

/** An open circuit is an alarm: a line of level ERROR, and a metric that an alarm watches. */
async function announce(
  route: string,
  { reason, code }: Opening,
  QueueUrl: string,
  { logger, metrics }: FunctionParts,
): Promise<void> {
  logger.error("circuit opened: everything of the route is held", { route, reason, code });
  const metric = metrics.singleMetric();
  metric.addDimension("route", route);
  metric.addMetric("CircuitOpened", MetricUnit.Count, 1);
  const { SendMessageCommand } = await import("@aws-sdk/client-sqs");
  const sqs = await sqsClient();
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ route }) }));
}
