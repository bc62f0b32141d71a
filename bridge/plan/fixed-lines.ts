import { bytesPerGb, type CostLine, gbSeconds, idleReceivesPerSecond, line, platformLogBytes } from "./cost-line.ts";
import { functionFacts } from "./functions.ts";
import { costOf, prices } from "./prices.ts";
import { minutesPerMonth, type Workload } from "./workload.ts";

/** `circuit` reads each route's state and lists the mappings. */
const circuitRunMs = 50;

/** What a deployment costs though nothing is sent, beside the queues that messages come by. */
export function fixedLines({ routes }: Workload, uplink: "bridge" | "relay"): readonly CostLine[] {
  const month = minutesPerMonth * 60;
  // Each route's queue of retries, and those of circuits and dead letters; with a relay each route's own queue, and the frames'.
  const idleQueues = uplink === "relay" ? 2 * routes + 3 : routes + 2;
  const receives = idleQueues * idleReceivesPerSecond * month;
  const runs = (month * 1000) / functionFacts.circuitMs;
  const circuit =
    costOf(prices.invocations, runs) +
    costOf(prices.durationArm, gbSeconds(runs, circuitRunMs, functionFacts.memoryMb)) +
    costOf(prices.reads, runs * routes) +
    costOf(prices.logs, (runs * platformLogBytes) / bytesPerGb);
  return [
    line("SQS: polling of queues that are empty", prices.sqs, receives, true),
    { name: "function circuit, every minute", amount: runs, unit: "runs", usdPerMonth: circuit, isFixed: true },
    // Received and Delivered; what goes wrong has more.
    line("CloudWatch metrics", prices.metrics, 2 * routes, true),
    // Three for each route, one for what has none, one for the queue of dead letters, two for functions; two for frames.
    line("CloudWatch alarms", prices.alarms, 3 * routes + (uplink === "relay" ? 6 : 4), true),
  ];
}
