import type { Logger } from "@aws-lambda-powertools/logger";
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Outcome } from "./deliver.ts";

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
}

/** An error, or what the relay says of one. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

interface Counts {
  received: number;
  delivered: number;
  strippedHeaders: number;
  deadLettered: number;
  readonly failed: Map<string, number>;
  readonly refused: Map<string, number>;
}

/** Milliseconds between two publications of what goes well. */
const publicationIntervalMs = 1_000;

/**
 * Counts what becomes of messages and tells CloudWatch, by route: `Received`, `Delivered`, `DeadLettered`,
 * `HeadersStripped`, and with the dimension `code` `Failed` attempts and `Refused` messages. Of a fault that many
 * messages have, the first is a log line.
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

  /** A message was taken for the first time. @param route What the message calls its route. */
  received(route: string): void {
    this.#countsOf(route).received += 1;
  }

  /** A message is a dead letter now. */
  deadLettered(route: string): void {
    this.#countsOf(route).deadLettered += 1;
  }

  /** What a message came to in one attempt. */
  add(route: string, outcome: Outcome, label: MessageLabel = {}): void {
    const counts = this.#countsOf(route);
    switch (outcome.kind) {
      case "delivered":
        counts.delivered += 1;
        counts.strippedHeaders += outcome.strippedHeaders;
        return;
      case "failed":
        this.#addFault("message not delivered", counts.failed, outcome.error, route, label);
        return;
      case "refused":
        this.refused(route, outcome.error, label);
        return;
      case "busy":
        return; // attempted elsewhere, and counted there
      default:
        outcome satisfies never;
    }
  }

  /** A message whose fault is its own, of whatever kind. */
  refused(route: string, fault: Fault, label: MessageLabel = {}): void {
    this.#addFault("message refused", this.#countsOf(route).refused, fault, route, label);
  }

  /** Publishes what was counted since the last time. */
  publish(): void {
    for (const [route, counts] of this.#counts) {
      const { received, delivered, deadLettered, strippedHeaders, failed, refused } = counts;
      this.#publishMetrics({ route }, [
        ["Received", received],
        ["Delivered", delivered],
        ["DeadLettered", deadLettered],
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

  #countsOf(name: string): Counts {
    const route = this.#options.routes.has(name) ? name : "unknown";
    let counts = this.#counts.get(route);
    if (counts === undefined) {
      counts = {
        received: 0,
        delivered: 0,
        strippedHeaders: 0,
        deadLettered: 0,
        failed: new Map(),
        refused: new Map(),
      };
      this.#counts.set(route, counts);
    }
    return counts;
  }

  /** The first of its kind is told with its cause, the others are counted: where the API is down, all fail. */
  #addFault(
    text: string,
    faults: Map<string, number>,
    { code, message: reason }: Fault,
    route: string,
    { messageId }: MessageLabel,
  ): void {
    if (!faults.has(code)) this.#options.logger.warn(text, { code, reason, route, messageId });
    faults.set(code, (faults.get(code) ?? 0) + 1);
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
