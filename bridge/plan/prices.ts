/** When the prices were last looked up, and where they hold. */
export const pricesOf = {
  date: "2026-06",
  region: "us-east-1",
  currency: "USD",
  /** The live pages could not be reached: these are what others quote from them. */
  source:
    "AWS's price pages as third parties quoted them up to June 2026; look at the pages before you rely on a figure",
} as const;

/** A price for an amount, by tiers of the month where it falls with the amount. */
export interface Price {
  /** Of what, as it stands behind an amount. */
  readonly unit: string;
  /** Amount that a tier's price is for. */
  readonly per: number;
  /** In order; the last one has no end. */
  readonly tiers: readonly { readonly usd: number; readonly upTo?: number }[];
  readonly page: string;
}

const iotPage = "aws.amazon.com/iot-core/pricing";
const cloudWatchPage = "aws.amazon.com/cloudwatch/pricing";
const dynamoDbPage = "aws.amazon.com/dynamodb/pricing/on-demand";
const lambdaPage = "aws.amazon.com/lambda/pricing";
const million = 1e6;

/** Unit prices. No free tier is counted: an account has each of them once, for everything in it. */
export const prices = {
  connectivity: { unit: "minutes", per: million, tiers: [{ usd: 0.08 }], page: iotPage },
  /** In steps of 5 KB; none with Basic Ingest. */
  messaging: {
    unit: "messages",
    per: million,
    tiers: [{ usd: 1, upTo: 1e9 }, { usd: 0.8, upTo: 5e9 }, { usd: 0.7 }],
    page: iotPage,
  },
  /** Both in steps of 5 KB. */
  rules: { unit: "rules", per: million, tiers: [{ usd: 0.15 }], page: iotPage },
  actions: { unit: "actions", per: million, tiers: [{ usd: 0.15 }], page: iotPage },
  /** A request for each started 64 KB. */
  sqs: { unit: "requests", per: million, tiers: [{ usd: 0.4 }], page: "aws.amazon.com/sqs/pricing" },
  invocations: { unit: "requests", per: million, tiers: [{ usd: 0.2 }], page: lambdaPage },
  durationArm: { unit: "GB-s", per: 1, tiers: [{ usd: 0.000_013_333_4 }], page: lambdaPage },
  durationX86: { unit: "GB-s", per: 1, tiers: [{ usd: 0.000_016_666_7 }], page: lambdaPage },
  reads: { unit: "reads", per: million, tiers: [{ usd: 0.125 }], page: dynamoDbPage },
  writes: { unit: "writes", per: million, tiers: [{ usd: 0.625 }], page: dynamoDbPage },
  storage: { unit: "GB-months", per: 1, tiers: [{ usd: 0.25 }], page: dynamoDbPage },
  logs: { unit: "GB", per: 1, tiers: [{ usd: 0.5 }], page: cloudWatchPage },
  logStorage: { unit: "GB-months", per: 1, tiers: [{ usd: 0.03 }], page: cloudWatchPage },
  metrics: { unit: "metrics", per: 1, tiers: [{ usd: 0.3 }], page: cloudWatchPage },
  alarms: { unit: "alarms", per: 1, tiers: [{ usd: 0.1 }], page: cloudWatchPage },
  dataIn: { unit: "GB", per: 1, tiers: [{ usd: 0 }], page: "aws.amazon.com/ec2/pricing/on-demand" },
  dataOut: {
    unit: "GB",
    per: 1,
    tiers: [{ usd: 0.09, upTo: 10_240 }, { usd: 0.085, upTo: 51_200 }, { usd: 0.07, upTo: 153_600 }, { usd: 0.05 }],
    page: "aws.amazon.com/ec2/pricing/on-demand",
  },
} as const satisfies Readonly<Record<string, Price>>;

/** Dollars for the amount of a month. */
export function costOf(price: Price, amount: number): number {
  let usd = 0;
  let from = 0;
  for (const tier of price.tiers) {
    const upTo = tier.upTo ?? Number.POSITIVE_INFINITY;
    usd += (Math.max(0, Math.min(amount, upTo) - from) / price.per) * tier.usd;
    from = upTo;
  }
  return usd;
}
