import { defaultBatching } from "../relay/batcher.ts";
import { isRefused, makePlans } from "./plan.ts";
import { readPlanOptions } from "./plan-options.ts";
import { prices, pricesOf } from "./prices.ts";
import { printPlans } from "./print-plan.ts";
import { quotas } from "./quotas.ts";
import { defaultCompression } from "./uplink.ts";

export const planHelp = `Usage: npm run bridge -- plan --devices N --rate R [options]
       npm run bridge -- plan --per-day N [options]

What a fleet's messages need and cost, for the plain bridge, for the relay with a message in each frame and with many, and
for comparison for a design with neither. A plan that breaks a quota of AWS is refused with the quota's name.

  --devices N           and
  --rate R              messages per second of each, on average; or
  --per-day N           messages of the whole fleet in a day
  --hours H             of a day in which they come, 24 by default
  --peak F              how much more the busiest seconds have, 1 by default; for quotas
  --bytes B             of a message, 250 by default
  --topic-bytes B       of its topic, 30 by default
  --routes N            QoS 1 routes with an even share each, 1 by default
  --api-ms T            until the API answers, 100 by default

The relay, by its own options
  --delay T             that the first message of a frame waits for others, ${defaultBatching.delayMs}ms by default
  --batch N             messages of a frame at most, ${defaultBatching.maxMessages} by default
  --compression P       compressed size of a frame's message, as a part of what it was, behind the first ones, which take more:
                        ${defaultCompression} by default

The functions
  --max-concurrency N   api.maxConcurrency, otherwise what is needed
  --parallel N          requests side by side in one invocation, otherwise what follows from api.maxConcurrency
  --memory MB           512 by default, as deployed
  --keep DAYS           routes keep their messages
  --lease               routes have a lease
  --commands            devices are sent commands
  --api WHERE           region, where traffic costs nothing (default), or internet

  --region SIZE         large (default), or small: a Region with a tenth of IoT Core's quotas for an account
  --quota NAME=NUMBER   one that AWS has raised: ${adjustable().join(", ")}
  --json                everything as JSON

Exits with 1 where neither the bridge nor the relay can do it.`;

/**
 * `plan`: prints what a fleet needs and costs.
 *
 * @returns the exit code.
 * @throws {UsageError | SchemeError}
 */
export async function planCommand(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { workload, options, isJson, isHelp } = readPlanOptions(args);
  if (isHelp) {
    print(planHelp);
    return 0;
  }
  const plans = makePlans(workload, options);
  const text = isJson
    ? [JSON.stringify({ workload, options, plans, prices: { ...pricesOf, prices } }, undefined, 2)]
    : printPlans(workload, options, plans);
  for (const line of text) print(line);
  return plans.every((plan) => plan.name === "seed" || isRefused(plan)) ? 1 : 0;
}

function adjustable(): readonly string[] {
  return Object.entries(quotas).flatMap(([name, { isAdjustable }]) => (isAdjustable ? [name] : []));
}
