import { reportBrokerConflicts } from "./broker-conflicts.ts";
import { repliesRoute } from "./ingest.ts";
import { type PathTemplate, parsePathTemplate } from "./request-path.ts";
import type { Commands, Route, RouteInput, Scheme, SchemeInput } from "./scheme.ts";
import { SchemeError, type SchemeProblem } from "./scheme-error.ts";
import { schemeKeys } from "./scheme-keys.ts";
import { object, type Report } from "./shape.ts";
import { TopicReader } from "./topic-reader.ts";
import { placeholdersOf, type TopicTemplate } from "./topic-template.ts";

export { type SchemeInput, secret } from "./scheme.ts";

/** Calls of the push endpoint in a second where `commands` does not say. */
export const defaultMaxPerSecond = 500;

/**
 * Checks a scheme and gives the model that everything else is derived from.
 *
 * @throws {SchemeError} with every fault of the scheme, each with its key, its value and the limit.
 */
export function defineScheme(input: SchemeInput): Scheme {
  const problems: SchemeProblem[] = [];
  const report: Report = (code, at, message) => problems.push({ code, at, message });
  object(schemeKeys)(input, "", report);
  // What follows reads the values as their types say, so the shape has to be right first.
  if (problems.length > 0) throw new SchemeError(problems);
  const scheme = read(input, report);
  if (problems.length > 0) throw new SchemeError(problems);
  return scheme;
}

function read(input: SchemeInput, report: Report): Scheme {
  const stage = input.stage ?? "prod";
  const rulePrefix = `${input.name}_${stage}`.replaceAll("-", "_");
  const topics = new TopicReader(report);
  const routes = Object.entries(input.routes).map(([name, route]) =>
    readRoute(name, route, `${rulePrefix}_${name}`, topics, report),
  );
  const scheme: Scheme = {
    name: input.name,
    stage,
    api: {
      // As a URL prints itself: spaces around it, `https:host` and the like are not carried on.
      url: new URL(input.api.url).href.replace(/\/+$/, ""),
      timeoutMs: input.api.timeoutMs ?? 10_000,
      maxConcurrency: input.api.maxConcurrency ?? 50,
      headers: new Map(Object.entries(input.api.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
      signing: input.api.signing ?? [],
      retryDelaysSeconds: input.api.retryDelaysSeconds,
    },
    deadLetters: input.deadLetters ?? { days: 14 },
    routes: new Map(routes.map((route) => [route.name, route])),
    // No route's name holds an underscore, so that no route's rule is called so.
    framesRuleName: input.uplink === "relay" ? `${rulePrefix}_relay_frames` : undefined,
    commands: input.commands && readCommands(input.commands, `${rulePrefix}_${repliesRoute}`, topics),
    feeds: new Map(
      Object.entries(input.feeds ?? {}).map(([name, { topic }]) => [
        name,
        topics.read(topic, `feeds.${name}.topic`, "no device"),
      ]),
    ),
    brokers: input.brokers ?? [],
    alarms: input.alarms,
  };
  if (routes.length === 0) report("CONFIG_RANGE", "routes", "has no route; at least one is needed");
  topics.reportOverlaps();
  if (scheme.commands !== undefined && scheme.routes.has(repliesRoute)) {
    const message = `'${repliesRoute}' is the name under which the devices' replies arrive`;
    report("CONFIG_CONFLICT", `routes.${repliesRoute}`, message);
  }
  reportBrokerConflicts(input, report);
  return scheme;
}

function readCommands(input: NonNullable<SchemeInput["commands"]>, ruleName: string, topics: TopicReader): Commands {
  return {
    topic: topics.read(input.topic, "commands.topic", "only the device"),
    replies: topics.read(input.replies, "commands.replies", "only the device"),
    ruleName,
    maxPerSecond: input.maxPerSecond ?? defaultMaxPerSecond,
    authorization: input.authorization,
  };
}

function readRoute(name: string, input: RouteInput, ruleName: string, topics: TopicReader, report: Report): Route {
  const topic = topics.read(input.topic, `routes.${name}.topic`, "the device");
  reportQosConflicts(name, input, report);
  return {
    name,
    topic,
    qos: input.qos,
    path: readPath(input.path ?? `/${input.topic}`, topic, `routes.${name}.path`, report),
    method: input.method ?? "POST",
    where: input.where,
    keep: input.keep,
    lease: input.lease,
    ruleName,
  };
}

/** A QoS 0 message goes straight to the API: what is to be written down first would make it wait for a table. */
function reportQosConflicts(name: string, input: RouteInput, report: Report): void {
  if (input.qos === 1) return;
  for (const key of ["keep", "lease"] as const) {
    if (input[key] === undefined) continue;
    report("CONFIG_CONFLICT", `routes.${name}.${key}`, "is for QoS 1; QoS 0 goes to the API with nothing written down");
  }
}

function readPath(source: string, topic: TopicTemplate, at: string, report: Report): PathTemplate {
  // A topic that was refused is reported already, its levels are not known.
  if (topic.levels.length === 0) return { source, parts: [source] };
  const path = parsePathTemplate(source, placeholdersOf(topic));
  if (typeof path !== "string") return path;
  report("PATH_INVALID", at, path);
  return { source, parts: [source] };
}
