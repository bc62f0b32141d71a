import { expect, test } from "vitest";
import { SchemeError } from "../../scheme/scheme-error.ts";
import { defaultBatching } from "../relay/batcher.ts";
import { UsageError } from "../usage-error.ts";
import { planCommand } from "./plan-command.ts";
import { readPlanOptions } from "./plan-options.ts";

test("prints each design with every line, its quotas and where the prices are from", async () => {
  const { code, text } = await run(["--devices", "20000", "--rate", "0.2", "--bytes", "250"]);
  expect(code).toBe(0);
  expect(text).toMatch(/^plain +1 +1 +4,000 .* refused$/m);
  expect(text).toMatch(/^relay +45 +1 +4,000 [ \d.]+$/m);
  expect(text).toMatch(/^relay, batched +1 +100 +40 [ \d.]+$/m);
  expect(text).toContain("refused: 'Publish requests per second per connection' is 100 publishes/s, needed are 4,000");
  expect(text).toContain("docs.aws.amazon.com/general/latest/gr/iot-core.html");
  for (const line of [
    "connectivity",
    "rules triggered",
    "rule actions",
    "SQS: send",
    "Lambda requests, asynchronous",
  ]) {
    expect(text).toContain(line);
  }
  for (const line of ["Lambda duration", "DynamoDB reads", "DynamoDB writes", "DynamoDB storage", "CloudWatch Logs"]) {
    expect(text).toContain(line);
  }
  expect(text).toContain("to be started with --connections 45: a relay has 10 by default");
  expect(text.match(/^ {2}total with fixed /gm)).toHaveLength(3); // of all but the one that is compared with
  expect(text).toMatch(/Prices of 2026-06, us-east-1, in USD/);
});

test("exits with 1 where no design can do it", async () => {
  const { code, text } = await run(["--devices", "1000", "--rate", "1", "--bytes", "200000"]);
  expect(code).toBe(1);
  expect(text.match(/'Message size' is 131,072 bytes, needed are 200,000/g)).toHaveLength(4);
});

test("says how to go on where AWS raises a quota", async () => {
  const { text } = await run(["--devices", "30000", "--rate", "1"]);
  expect(text).toContain("AWS raises it on request, then --quota accountPublishes=NUMBER");
  const raised = await run(["--devices", "30000", "--rate", "1", "--quota", "accountPublishes=40000", "--json"]);
  expect(JSON.parse(raised.text).options.raised).toEqual({ accountPublishes: 40_000 });
});

test("everything is there as JSON", async () => {
  const { text } = await run(["--per-day", "1000000", "--json"]);
  expect(JSON.parse(text)).toMatchObject({
    workload: { ratePerDevice: 1e6 / 86_400 },
    plans: [
      { name: "plain" },
      { name: "relay" },
      { name: "relay, batched", uplink: { connections: 1 } },
      { name: "seed" },
    ],
    prices: { date: "2026-06", prices: { sqs: { tiers: [{ usd: 0.4 }] } } },
  });
});

test.for([
  [[], { batching: { ...defaultBatching, compression: 0.3 } }],
  [["--delay", "2s"], { batching: { delayMs: 2_000 } }],
  [["--delay", "250"], { batching: { delayMs: 250 } }],
  [["--memory", "1024"], { shares: { queued: { memoryMb: 1_024 }, frames: { memoryMb: 1_024 } } }],
  [["--keep", "30", "--lease"], { keepDays: 30, hasLease: true }],
] as const)("reads %o", ([args, expected]) => {
  expect(readPlanOptions(["--per-day", "1", ...args]).options).toMatchObject(expected);
});

test("messages of a day are spread over its hours", () => {
  const { workload } = readPlanOptions(["--per-day", "864000", "--devices", "10", "--hours", "12"]);
  expect(workload).toMatchObject({ devices: 10, ratePerDevice: 2 });
});

test.for([
  [[], /--devices and --rate are needed, or --per-day/],
  [["--devices", "1", "--rate", "1", "--per-day", "1"], /both say how much/],
  [["--devices", "1.5", "--rate", "1"], /--devices '1.5' is not a whole number/],
  [["--devices", "1", "--rate", "0"], /--rate 0 is too small/],
  [["--devices", "1", "--rate", "much"], /--rate 'much' is not a number/],
  [["--per-day", "1", "--batch", "101"], /--batch 101 is more than 100/],
  [["--per-day", "1", "--compression", "2"], /--compression 2 is more than 1/],
  [["--per-day", "1", "--hours", "25"], /--hours 25 is more than 24/],
  [["--per-day", "1", "--delay", "soon"], /'soon' is not a time/],
  [["--per-day", "1", "--region", "mars"], /'mars' is not large or small/],
  [["--per-day", "1", "--quota", "connectionPublishes=200"], /AWS does not raise/],
  [["--per-day", "1", "--quota", "toString=1"], /is not NAME=NUMBER/],
  [["--per-day", "1", "--nonsense"], /'--nonsense'/],
] as const)("explains the command line %o", ([args, message]) => {
  expect(() => readPlanOptions(args)).toThrow(UsageError);
  expect(() => readPlanOptions(args)).toThrow(message);
});

test("refuses less concurrency than AWS can be limited to", () => {
  expect(() => readPlanOptions(["--per-day", "1", "--max-concurrency", "5"])).toThrow(SchemeError);
});

test("explains itself", async () => {
  const { code, text } = await run(["--help"]);
  expect(code).toBe(0);
  expect(text).toMatch(/^Usage: npm run bridge -- plan/);
});

async function run(args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const printed: string[] = [];
  const code = await planCommand(args, (line) => printed.push(line));
  return { code, text: printed.join("\n") };
}
