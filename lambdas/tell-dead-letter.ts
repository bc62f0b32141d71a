import type { Logger } from "@aws-lambda-powertools/logger";
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { DeadLetter } from "./store/dead-letters.ts";

export interface TellDeadLetterOptions {
  readonly logger: Pick<Logger, "warn">;
  readonly metrics: Pick<Metrics, "singleMetric">;
}

/** Tells of a dead letter that was recorded: a log line, and the metric that an alarm watches. */
export function createTellDeadLetter({ logger, metrics }: TellDeadLetterOptions): (letter: DeadLetter) => void {
  return ({ id, route, reason, detail }) => {
    logger.warn("dead letter", { messageId: id, route, code: reason, reason: detail });
    const metric = metrics.singleMetric();
    metric.addDimension("route", route);
    metric.addMetric("DeadLettered", MetricUnit.Count, 1);
  };
}
