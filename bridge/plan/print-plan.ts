import { defaultMaxConnections } from "../relay/uplink.ts";
import type { CostLine } from "./cost-line.ts";
import { type DesignPlan, isRefused, type PlanOptions } from "./plan.ts";
import { pricesOf } from "./prices.ts";
import { quotas, type Violation } from "./quotas.ts";
import { messagesPerMonth, messagesPerSecond, requestsAtPeak, type Workload } from "./workload.ts";

/** Plans for people: a row for each design, then each with every line of its cost. */
export function printPlans(workload: Workload, options: PlanOptions, plans: readonly DesignPlan[]): readonly string[] {
  return [
    ...introduction(workload, options),
    "",
    ...table(summaryHead, plans.map(summary)),
    ...plans.flatMap((plan) => ["", ...design(plan, workload)]),
    "",
    `Prices of ${pricesOf.date}, ${pricesOf.region}, in ${pricesOf.currency}: ${pricesOf.source}.`,
    "No free tier is counted, nor retries: of what fails, each further attempt goes by a queue, and costs as a plain message.",
  ];
}

const summaryHead = ["", "connections", "messages/publish", "publishes/s", "$/million", "with fixed", "$/month", ""];

function introduction(workload: Workload, { batching, shares }: PlanOptions): readonly string[] {
  const { devices, payloadBytes, hoursPerDay, peakFactor, routes, apiMs } = workload;
  const rate = messagesPerSecond(workload);
  return [
    `${devices === 1 ? "" : `${amount(devices)} devices, `}${amount(rate)} messages/s of ${amount(payloadBytes)} bytes over ${hoursPerDay} hours a day, ` +
      `${amount(messagesPerMonth(workload) / 1e6)} million a month on ${routes} QoS 1 route(s)`,
    `API ${apiMs} ms, ${amount(requestsAtPeak(workload))} requests at one time at the peak (× ${peakFactor}), side by side in an ` +
      `invocation of ${shares.frames.memoryMb} MB: ${shares.frames.parallelRequests} with frames, ${shares.queued.parallelRequests} with queues`,
    `frames: ${batching.delayMs} ms, up to ${batching.maxMessages} messages, each compressed to ${batching.compression} beside the first`,
  ];
}

function summary(plan: DesignPlan): readonly string[] {
  const { name, uplink, usdPerMillion, usdPerMillionWithFixed, usdPerMonth } = plan;
  return [
    name,
    amount(uplink.connections),
    amount(uplink.messagesPerPublish),
    amount(uplink.publishesPerSecond),
    dollars(usdPerMillion),
    dollars(usdPerMillionWithFixed),
    usdPerMonth.toFixed(2),
    isRefused(plan) ? "refused" : "",
  ];
}

function design(plan: DesignPlan, workload: Workload): readonly string[] {
  const { name, uplink, load, lines, violations, missingInvocations } = plan;
  const kilobytes = (uplink.publishesPerSecond * uplink.packetBytes) / uplink.connections / 1024;
  return [
    `${name}: ${titles[name]}`,
    `  ${amount(uplink.publishesPerSecond / uplink.connections)} publishes/s of ${amount(uplink.packetBytes)} bytes on each ` +
      `connection, ${amount(kilobytes)} KB/s; ${amount(load.invocationsPerSecond)} invocations/s of ` +
      `${amount(load.messagesPerInvocation)} messages in ${amount(load.durationMs)} ms, ${amount(load.atOneTime)} at one time`,
    ...violations.map((each) => `  refused: ${explain(each)}`),
    ...(missingInvocations > 0
      ? [`  refused: api.maxConcurrency gives ${missingInvocations} invocations fewer than are needed`]
      : []),
    ...(uplink.connections > defaultMaxConnections
      ? [`  to be started with --connections ${uplink.connections}: a relay has ${defaultMaxConnections} by default`]
      : []),
    ...table(["", "per million", "", "$/million", "$/month"], costRows(lines, messagesPerMonth(workload) / 1e6)).map(
      (row) => `  ${row}`,
    ),
  ];
}

/** What grows with the messages and its total, then the rest and the total of all. */
function costRows(lines: readonly CostLine[], millions: number): readonly (readonly string[])[] {
  const [fixed = [], growing = []] = [true, false].map((isFixed) => lines.filter((line) => line.isFixed === isFixed));
  const rows = (some: readonly CostLine[]) => some.map((line) => costRow(line, millions));
  return [
    ...rows(growing),
    totalRow("total", growing, millions),
    ...(fixed.length === 0 ? [] : [...rows(fixed), totalRow("total with fixed", lines, millions)]),
  ];
}

const titles: Readonly<Record<DesignPlan["name"], string>> = {
  plain: "the generated bridge, each message a publish; a second with more than 100 stalls it until it reconnects",
  relay: "each message a frame (--batch 1), paced, over as many connections as are needed",
  "relay, batched": "many messages in a frame, which the function takes apart",
  seed: "for comparison: no Basic Ingest, no queue, a function of 128 MB for each message; what fails twice more is lost",
};

function explain({ quota, needed, limit }: Violation): string {
  const { name, unit, page, isAdjustable } = quotas[quota];
  const raise = isAdjustable ? `; AWS raises it on request, then --quota ${quota}=NUMBER` : "";
  return `'${name}' is ${amount(limit)} ${unit}, needed are ${amount(needed)} (${page})${raise}`;
}

function costRow(line: CostLine, millions: number): readonly string[] {
  const name = line.isFixed ? `${line.name} (fixed)` : line.name;
  return [
    name,
    amount(line.amount / millions),
    line.unit,
    dollars(line.usdPerMonth / millions),
    line.usdPerMonth.toFixed(2),
  ];
}

function totalRow(name: string, lines: readonly CostLine[], millions: number): readonly string[] {
  const usd = lines.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0);
  return [name, "", "", dollars(usd / millions), usd.toFixed(2)];
}

/** Words to the left, figures to the right, each heading as its column. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const columns = head.map((title, column) => {
    const cells = rows.map((row) => row[column] ?? "");
    const width = Math.max(title.length, ...cells.map((cell) => cell.length));
    const isFigure = cells.some((cell) => /^[\d,.]+$/.test(cell));
    return (cell: string) => (isFigure ? cell.padStart(width) : cell.padEnd(width));
  });
  return [head, ...rows].map((row) =>
    columns
      .map((pad, column) => pad(row[column] ?? ""))
      .join("  ")
      .trimEnd(),
  );
}

function dollars(value: number): string {
  return value.toFixed(4);
}

function amount(value: number): string {
  if (value < 1) return value.toLocaleString("en", { maximumSignificantDigits: 2 });
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 1000 ? 1 : 0 });
}
