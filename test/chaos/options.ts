import { parseArgs } from "node:util";
import { isPlanName, type PlanName, plans } from "./plans.ts";
import type { ChaosOptions } from "./run.ts";

export const help = `Usage: npm run chaos -- [options]

Sends numbered QoS 1 messages through what npm start sets up, disturbs it meanwhile, and counts what is missing at the
API, what came twice without a cause or with another Idempotency-Key, and whether the ledger adds up. Exits with 1 where
any of it is wrong.

  --plan NAME    one of
                 ${Object.keys(plans).join(", ")}
                 "all", by default, is every one of them but kill-broker
  --messages N   at least, 100000 by default, 2000 where the broker is killed; 1000 for each other kill at least
  --kills K      how often the plan kills what it kills, 5 by default
  --seed N       decides when, in what order and which attempts; a random one by default
  --help`;

/** A command line that makes no sense; the message is one line for its user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads the command line, undefined where it asks for help. @throws {UsageError} */
export function readOptions(args: readonly string[]): Omit<ChaosOptions, "print"> | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const plan = readPlan(values.plan);
  const kills = readNumber("--kills", values.kills, 0);
  const isSlow = plan === "kill-broker";
  const messages = values.messages ?? (isSlow ? "2000" : "100000");
  return {
    messages: readNumber("--messages", messages, isSlow ? 1_000 : messagesPerKill * Math.max(1, kills)),
    plan,
    kills,
    faultSeconds: 3,
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : readNumber("--seed", values.seed, 0),
  };
}

/** So that each kill finds enough messages under way, also where two follow close upon each other. */
const messagesPerKill = 1_000;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        messages: { type: "string" },
        plan: { type: "string", default: "all" },
        kills: { type: "string", default: "5" },
        seed: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function readPlan(name: string): PlanName {
  if (isPlanName(name)) return name;
  throw new UsageError(`--plan ${name} is not one of ${Object.keys(plans).join(", ")}`);
}

function readNumber(name: string, text: string, minimum: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= minimum) return number;
  throw new UsageError(`${name} ${text} is not a whole number of ${minimum} or more`);
}
