import type { Logger } from "@aws-lambda-powertools/logger";
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { PushOperationId } from "../../scheme/command/push-operations.ts";
import type { Answer } from "./answer.ts";
import type { ProblemCode } from "./problems.ts";

export interface ReportOptions {
  readonly logger: Pick<Logger, "info" | "error">;
  readonly metrics: Pick<Metrics, "addDimension" | "addMetric" | "publishStoredMetrics">;
}

/** One request and what it came to. */
export interface Done {
  /** Undefined where the path and the method are none of ours. */
  readonly operation: PushOperationId | undefined;
  readonly deviceId: string | undefined;
  readonly answer: Answer;
  readonly durationMs: number;
  /** Why the answer is one of 500 and above. */
  readonly cause?: unknown;
}

/**
 * Tells of each request: one log line, without bodies, and to CloudWatch `CommandsAccepted`, with the dimension `code`
 * `CommandsRefused`, and `PushFailed` for what is our fault: for Lambda an answer of 500 is one like any other.
 */
export class Report {
  readonly #options: ReportOptions;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  add({ operation, deviceId, answer, durationMs, cause }: Done): void {
    const { status, code, commandId } = answer;
    const line = { operation, status, code, deviceId, commandId, ms: durationMs };
    // A device that does not answer is no fault of ours.
    const isFailed = status >= 500 && code !== "REPLY_TIMEOUT";
    if (isFailed) this.#options.logger.error("request", { ...line, reason: reasonOf(cause) });
    else this.#options.logger.info("request", line);
    if (isFailed) this.#publish({}, "PushFailed", 1);
    if (operation === "sendCommand" || operation === "sendCommands") this.#count(answer);
  }

  #count({ code, accepted = 0, refused = refusedAs(code, accepted) }: Answer): void {
    if (accepted > 0) this.#publish({}, "CommandsAccepted", accepted);
    for (const [each, count] of refused) this.#publish({ code: each }, "CommandsRefused", count);
  }

  #publish(dimensions: Readonly<Record<string, string>>, name: string, count: number): void {
    const { metrics } = this.#options;
    for (const [dimension, value] of Object.entries(dimensions)) metrics.addDimension(dimension, value);
    metrics.addMetric(name, MetricUnit.Count, count);
    metrics.publishStoredMetrics();
  }
}

function refusedAs(code: ProblemCode | undefined, accepted: number): ReadonlyMap<ProblemCode, number> {
  return new Map(code === undefined || accepted > 0 ? [] : [[code, 1]]);
}

function reasonOf(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error && cause.stack !== undefined ? cause.stack : String(cause);
}
