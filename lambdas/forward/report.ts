import type { Logger } from "@aws-lambda-powertools/logger";
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { quote } from "../../scheme/message-error.ts";
import type { Outcome } from "./deliver.ts";
import type { ForwardError } from "./failure.ts";

export interface ReportOptions {
  readonly logger: Pick<Logger, "warn">;
  readonly metrics: Pick<Metrics, "addDimension" | "addMetric" | "publishStoredMetrics">;
  /** Names of the scheme's routes: what a message calls its route is no dimension before it is one of these. */
  readonly routes: Pick<ReadonlyMap<string, unknown>, "has">;
  /** Milliseconds of a clock that goes on between invocations. */
  readonly now?: () => number;
}

/** What a log line says of a message. No header, which may hold a credential, and no body. */
export interface MessageLabel {
  readonly messageId?: string | undefined;
  readonly topic?: string | undefined;
}

interface Counts {
  delivered: number;
  strippedHeaders: number;
  readonly failed: Map<string, number>;
  readonly refused: Map<string, number>;
}

/** Milliseconds between two publications of what goes well. */
const publicationIntervalMs = 1_000;

/**
 * Counts what becomes of messages and tells CloudWatch, by route: `Delivered`, `HeadersStripped`, and with the
 * dimension `code` `Failed` and `Refused`. There is no log line for a message that is delivered.
 */
export class Report {
  readonly #options: ReportOptions;
  readonly #now: () => number;
  readonly #counts = new Map<string, Counts>();
  #publishedAt = 0;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** @param route What the message calls its route. */
  add(route: string, outcome: Outcome, label: MessageLabel = {}): void {
    const known = this.#options.routes.has(route) ? route : "unknown";
    const counts = this.#countsOf(known);
    switch (outcome.kind) {
      case "delivered":
        counts.delivered += 1;
        counts.strippedHeaders += outcome.strippedHeaders;
        return;
      case "failed":
        // The first of its kind is told with its cause, the others are counted: where the API is down, all fail.
        if (!counts.failed.has(outcome.error.code)) this.#tellFailure(known, outcome.error, label);
        increment(counts.failed, outcome.error.code);
        return;
      case "refused":
        increment(counts.refused, outcome.error.code);
        this.#options.logger.warn("message refused", {
          code: outcome.error.code,
          reason: outcome.error.message,
          route: known,
          ...label,
          ...(label.topic === undefined ? {} : { topic: quote(label.topic) }),
        });
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Publishes what was counted since the last time. */
  publish(): void {
    for (const [route, { delivered, strippedHeaders, failed, refused }] of this.#counts) {
      this.#publishMetrics({ route }, [
        ["Delivered", delivered],
        ["HeadersStripped", strippedHeaders],
      ]);
      for (const [code, count] of failed) this.#publishMetrics({ route, code }, [["Failed", count]]);
      for (const [code, count] of refused) this.#publishMetrics({ route, code }, [["Refused", count]]);
    }
    this.#counts.clear();
    this.#publishedAt = this.#now();
  }

  /**
   * Publishes once a second at the most. What an execution environment counted in its last second of work is lost
   * with it: Lambda does not say goodbye.
   */
  publishNowAndThen(): void {
    if (this.#now() - this.#publishedAt >= publicationIntervalMs) this.publish();
  }

  #countsOf(route: string): Counts {
    let counts = this.#counts.get(route);
    if (counts === undefined) {
      counts = { delivered: 0, strippedHeaders: 0, failed: new Map(), refused: new Map() };
      this.#counts.set(route, counts);
    }
    return counts;
  }

  #tellFailure(route: string, error: ForwardError, label: MessageLabel): void {
    const { messageId } = label;
    this.#options.logger.warn("message not delivered", { code: error.code, reason: error.message, route, messageId });
  }

  #publishMetrics(dimensions: Readonly<Record<string, string>>, values: readonly (readonly [string, number])[]): void {
    const { metrics } = this.#options;
    const counted = values.filter(([, value]) => value > 0);
    if (counted.length === 0) return;
    for (const [name, value] of Object.entries(dimensions)) metrics.addDimension(name, value);
    for (const [name, value] of counted) metrics.addMetric(name, MetricUnit.Count, value);
    metrics.publishStoredMetrics();
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
