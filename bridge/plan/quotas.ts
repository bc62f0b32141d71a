/** A quota of AWS that a plan can break. Regions differ in some of IoT Core's. */
export interface Quota {
  /** As its page calls it. */
  readonly name: string;
  readonly limit: number;
  /** In the Regions that have less. */
  readonly smallLimit?: number;
  readonly unit: string;
  /** Whether AWS raises it on request. */
  readonly isAdjustable: boolean;
  readonly page: string;
}

const iotPage = "docs.aws.amazon.com/general/latest/gr/iot-core.html";
const lambdaPage = "docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";

export const quotas = {
  connectionPublishes: {
    name: "Publish requests per second per connection",
    limit: 100,
    unit: "publishes/s",
    isAdjustable: false,
    page: iotPage,
  },
  connectionBytes: {
    name: "Throughput per second per connection",
    limit: 524_288,
    unit: "bytes/s",
    isAdjustable: false,
    page: iotPage,
  },
  payload: { name: "Message size", limit: 131_072, unit: "bytes", isAdjustable: false, page: iotPage },
  accountPublishes: {
    name: "Inbound publish requests per second per account",
    limit: 20_000,
    smallLimit: 2_000,
    unit: "publishes/s",
    isAdjustable: true,
    page: iotPage,
  },
  ruleEvaluations: {
    name: "Rule evaluations per second per AWS account",
    limit: 20_000,
    smallLimit: 2_000,
    unit: "rules/s",
    isAdjustable: true,
    page: iotPage,
  },
  connections: {
    name: "Maximum concurrent client connections per account",
    limit: 500_000,
    smallLimit: 100_000,
    unit: "connections",
    isAdjustable: true,
    page: iotPage,
  },
  /** What a queue is created with; SQS itself takes four times as much. */
  queueMessage: {
    name: "Maximum message size",
    limit: 262_144,
    unit: "bytes",
    isAdjustable: true,
    page: "docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
  },
  inFlight: {
    name: "In-flight messages per standard queue",
    limit: 120_000,
    unit: "messages",
    isAdjustable: true,
    page: "docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
  },
  /** As before October 2025, when it became 1 MB: enough for a frame. How many there are in a second has no quota. */
  asynchronousEvent: {
    name: "Invocation payload (asynchronous)",
    limit: 262_144,
    unit: "bytes",
    isAdjustable: false,
    page: lambdaPage,
  },
  concurrentExecutions: {
    name: "Concurrent executions",
    limit: 1_000,
    unit: "invocations at one time",
    isAdjustable: true,
    page: lambdaPage,
  },
  mappingConcurrency: {
    name: "Maximum concurrency of an Amazon SQS event source",
    limit: 1_000,
    unit: "invocations at one time",
    isAdjustable: false,
    page: "docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
  },
  tableWrites: {
    name: "On-demand write request units per table",
    limit: 40_000,
    unit: "writes/s",
    isAdjustable: true,
    page: "docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html",
  },
} as const satisfies Readonly<Record<string, Quota>>;

export type QuotaName = keyof typeof quotas;

/** Some Regions have less: Stockholm, Paris, Spain, Bahrain, UAE, Hong Kong, Malaysia, N. California, Canada, GovCloud. */
export type RegionSize = "large" | "small";

/** A quota that a plan breaks. */
export interface Violation {
  readonly quota: QuotaName;
  readonly needed: number;
  readonly limit: number;
}

/** The quotas that a plan breaks. @param raised What AWS has raised for the account. */
export function violationsOf(
  needed: Readonly<Partial<Record<QuotaName, number>>>,
  size: RegionSize,
  raised: Readonly<Partial<Record<QuotaName, number>>> = {},
): readonly Violation[] {
  return (Object.keys(needed) as QuotaName[]).flatMap((quota) => {
    const value = needed[quota] ?? 0;
    const limit = raised[quota] ?? limitOf(quotas[quota], size);
    return value > limit ? [{ quota, needed: value, limit }] : [];
  });
}

function limitOf({ limit, smallLimit = limit }: Quota, size: RegionSize): number {
  return size === "small" ? smallLimit : limit;
}
