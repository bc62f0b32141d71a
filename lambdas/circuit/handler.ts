import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import scheme from "#scheme";
import { resourceNames } from "../../scheme/resource-names.ts";
import { createDeliver } from "../forward/deliver.ts";
import { createLease } from "../forward/lease.ts";
import { createSchedule } from "../forward/policy.ts";
import { Report } from "../forward/report.ts";
import { createRequestParts } from "../forward/request-parts.ts";
import { sqsClient } from "../forward/visibility.ts";
import { isSqsEvent } from "../sqs-event.ts";
import { AttemptLog } from "../store/attempt-log.ts";
import { RouteStates } from "../store/route-states.ts";
import { documentClient, dynamoDbClient } from "../store/tables.ts";
import { readEnvironment } from "./environment.ts";
import { LambdaMappings, lambdaClient } from "./mappings.ts";
import { createProbe } from "./probe.ts";
import { createReconcile } from "./reconcile.ts";
import { runRoutes } from "./run-routes.ts";
import { routesOf } from "./wake-up.ts";

// Once per execution environment.
const settings = readEnvironment(process.env);
const { deliveriesTable, circuitQueueUrl, maximumDelaySeconds, retryFunctionName } = settings;
const { routes, api } = scheme;
const { retryQueue } = resourceNames(scheme);
const queuedRoutes: ReadonlySet<string> = new Set(
  [...routes.values()].flatMap(({ name, qos }) => (qos === 1 ? [name] : [])),
);
const logger = new Logger();
const metrics = new Metrics();
const report = new Report({ logger, metrics, routes });
const dynamo = documentClient();
const lambda = lambdaClient();
const states = new RouteStates(dynamo, deliveriesTable);
const onError = (error: unknown) => logger.error("not written down", { error: String(error) });

const probe = createProbe({
  client: await sqsClient(),
  // Queues of one account and region differ in the last segment of their URLs.
  queueUrl: (route) => new URL(retryQueue(route), circuitQueueUrl).href,
  routes,
  states,
  attemptLog: new AttemptLog(dynamo, deliveriesTable),
  deliver: createDeliver({
    ...createRequestParts(scheme, settings, logger),
    lease: createLease({ client: dynamoDbClient(), table: deliveriesTable, timeoutMs: api.timeoutMs }),
  }),
  nextStep: createSchedule({ delaysSeconds: api.retryDelaysSeconds, maximumDelaySeconds, random: Math.random }),
  report,
  now: Date.now,
  onError,
});

const reconcile = createReconcile({
  states,
  probe,
  onOpen: (route) => addMetric(route, "CircuitOpen", MetricUnit.Count, 1),
  onClosed: (route, openForMs) => {
    const openForSeconds = Math.round(openForMs / 1000);
    logger.info("circuit closed", { route, openForSeconds });
    addMetric(route, "CircuitOpenFor", MetricUnit.Seconds, openForSeconds);
  },
});

/**
 * Takes messages of the circuit queue, each naming a route whose circuit `forward` has just opened, or the event of a
 * schedule, for all routes.
 */
export async function handler(event: unknown): Promise<void> {
  const wanted = isSqsEvent(event) ? routesOf(event.Records, queuedRoutes) : queuedRoutes;
  const mappings = new LambdaMappings({
    client: lambda,
    functionName: retryFunctionName,
    queueName: retryQueue,
    onBusy: (route) => logger.info("event source mapping is changing, left to the next tick", { route }),
  });
  try {
    await runRoutes(wanted, (route) => reconcile(route, mappings));
  } catch (error) {
    logger.error("routes left to the next tick", { error: String(error) });
    // A message of the circuit queue is not tried again, since the schedule's next event does the same.
    if (!isSqsEvent(event)) throw error;
  } finally {
    report.publish();
  }
}

function addMetric(
  route: string,
  name: string,
  unit: (typeof MetricUnit)[keyof typeof MetricUnit],
  value: number,
): void {
  const metric = metrics.singleMetric();
  metric.addDimension("route", route);
  metric.addMetric(name, unit, value);
}
