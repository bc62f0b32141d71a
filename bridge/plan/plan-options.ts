import { parseArgs } from "node:util";
import { maxFrameMembers } from "../../scheme/frame/frame.ts";
import { count, milliseconds, number } from "../option-values.ts";
import { defaultBatching } from "../relay/batcher.ts";
import { UsageError } from "../usage-error.ts";
import { functionFacts } from "./functions.ts";
import type { PlanOptions } from "./plan.ts";
import { type QuotaName, quotas } from "./quotas.ts";
import { sharesOf } from "./shares.ts";
import { defaultCompression } from "./uplink.ts";
import { secondsPerHour, type Workload } from "./workload.ts";

/** A plan's command line, read. */
export interface PlanInput {
  readonly workload: Workload;
  readonly options: PlanOptions;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

/** Reads what follows `plan`. @throws {UsageError | SchemeError} */
export function readPlanOptions(args: readonly string[]): PlanInput {
  const values = parse(args);
  const hoursPerDay = number("--hours", values.hours, 24);
  const workload = {
    ...rateOf(values, hoursPerDay),
    hoursPerDay,
    peakFactor: number("--peak", values.peak, Number.POSITIVE_INFINITY, 1),
    payloadBytes: count("--bytes", values.bytes),
    topicBytes: count("--topic-bytes", values["topic-bytes"], 256),
    routes: count("--routes", values.routes),
    apiMs: number("--api-ms", values["api-ms"], 60_000),
  };
  return {
    workload,
    options: {
      batching: {
        maxMessages: count("--batch", values.batch, maxFrameMembers),
        delayMs: milliseconds("--delay", values.delay),
        compression: number("--compression", values.compression, 1),
      },
      shares: sharesOf(workload, {
        maxConcurrency: optionalCount("--max-concurrency", values["max-concurrency"]),
        parallelRequests: optionalCount("--parallel", values.parallel),
        memoryMb: count("--memory", values.memory, 10_240),
      }),
      keepDays: values.keep === undefined ? 0 : count("--keep", values.keep),
      hasLease: values.lease,
      hasCommands: values.commands,
      api: oneOf("--api", values.api, ["region", "internet"]),
      regionSize: oneOf("--region", values.region, ["large", "small"]),
      raised: Object.fromEntries(values.quota.map(raisedQuota)),
    },
    isJson: values.json,
    isHelp: values.help,
  };
}

type Values = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { ...flag, short: "h" },
        json: flag,
        devices: text,
        rate: text,
        "per-day": text,
        hours: { ...text, default: "24" },
        peak: { ...text, default: "1" },
        bytes: { ...text, default: "250" },
        "topic-bytes": { ...text, default: "30" },
        routes: { ...text, default: "1" },
        "api-ms": { ...text, default: "100" },
        delay: { ...text, default: `${defaultBatching.delayMs}ms` },
        batch: { ...text, default: String(defaultBatching.maxMessages) },
        compression: { ...text, default: String(defaultCompression) },
        "max-concurrency": text,
        parallel: text,
        memory: { ...text, default: String(functionFacts.memoryMb) },
        keep: text,
        lease: flag,
        commands: flag,
        api: { ...text, default: "region" },
        region: { ...text, default: "large" },
        quota: { ...text, multiple: true, default: [] },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function rateOf(values: Values, hoursPerDay: number): Pick<Workload, "devices" | "ratePerDevice"> {
  const perDay = values["per-day"];
  if (values.help) return { devices: 1, ratePerDevice: 1 };
  if (perDay !== undefined && values.rate !== undefined) {
    throw new UsageError("--rate and --per-day both say how much there is");
  }
  if (perDay !== undefined) {
    const devices = values.devices === undefined ? 1 : count("--devices", values.devices);
    return { devices, ratePerDevice: number("--per-day", perDay) / devices / (hoursPerDay * secondsPerHour) };
  }
  if (values.devices === undefined || values.rate === undefined) {
    throw new UsageError("--devices and --rate are needed, or --per-day");
  }
  return { devices: count("--devices", values.devices), ratePerDevice: number("--rate", values.rate) };
}

function raisedQuota(text: string): readonly [QuotaName, number] {
  const [name = "", value] = text.split("=");
  if (!Object.hasOwn(quotas, name) || value === undefined) {
    throw new UsageError(`--quota '${text}' is not NAME=NUMBER, with one of ${Object.keys(quotas).join(", ")}`);
  }
  const quota = quotas[name as QuotaName];
  if (!quota.isAdjustable) throw new UsageError(`AWS does not raise '${quota.name}' (${quota.page})`);
  return [name as QuotaName, number(`--quota ${name}`, value)];
}

function optionalCount(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : count(flag, text);
}

function oneOf<Value extends string>(flag: string, value: string, known: readonly Value[]): Value {
  const found = known.find((name) => name === value);
  if (found === undefined) throw new UsageError(`${flag} '${value}' is not ${known.join(" or ")}`);
  return found;
}
