import type { Commands, Route, Scheme } from "./scheme.ts";

/**
 * What a derived topic rule hands to `forward`, as a Lambda event or as the body of an SQS message; with replies to
 * commands, to `reply`.
 *
 * The rule is payload-independent: AWS IoT Core drops a message whose SQL fails without running the error action, so
 * everything that could fail is left to code, where a dead letter is possible.
 */
export interface IngestMessage {
  /** The payload's bytes, in base64. */
  readonly data: string;
  readonly topic: string;
  /** Name of the route, also in the rule's name; `replies` where that is what it holds. */
  readonly route: string;
  /** Milliseconds since 1970, when the rule ran. */
  readonly receivedAt: number;
  /** Absent for what was not sent over MQTT. */
  readonly traceId?: string;
  /** One-key objects in the order sent; absent for MQTT 3.1.1. */
  readonly userProperties?: readonly Readonly<Record<string, string>>[];
  readonly contentType?: string;
  readonly payloadFormat?: "UTF8_DATA" | "UNSPECIFIED_BYTES";
  readonly responseTopic?: string;
  /** In base64. */
  readonly correlationData?: string;
  /** MQTT client id of the connection that it came by: behind a bridge the bridge's. Absent where there was none. */
  readonly broker?: string;
  /**
   * The message's first id, which its idempotency key is made of; in a replay only, whose SQS message has another id.
   * No topic rule fills it, so that no device can.
   */
  readonly id?: string;
}

/** The columns of `IngestMessage` that the AWS IoT SQL of a topic rule fills. */
const columns: Readonly<Record<Exclude<keyof IngestMessage, "route" | "id">, string>> = {
  data: "encode(*, 'base64')",
  topic: "topic()",
  receivedAt: "timestamp()",
  traceId: "traceid()",
  userProperties: "get_user_properties()",
  contentType: "get_mqtt_property('content_type')",
  payloadFormat: "get_mqtt_property('format_indicator')",
  responseTopic: "get_mqtt_property('response_topic')",
  correlationData: "get_mqtt_property('correlation_data')",
  broker: "clientid()",
};

/** The SQL version that the statement is written in; AWS applies an older one when a rule names none. */
export const ingestSqlVersion = "2016-03-23";

/** The name that devices' replies have where messages have their route's; no route beside commands is called so. */
export const repliesRoute = "replies";

/** What a topic rule is derived from: a route, or the replies. */
export type IngestSource = Pick<Route, "name" | "topic" | "qos" | "where" | "ruleName">;

/** The devices' replies, as what their topic rule is derived from. */
export function repliesSource({ replies, ruleName }: Commands): IngestSource {
  return { name: repliesRoute, topic: replies, qos: 1, where: undefined, ruleName };
}

/** What topic rules are derived from, by the name that their messages have it under. */
export type IngestSources = ReadonlyMap<string, IngestSource>;

/** The scheme's routes, and the devices' replies where there are commands. */
export function ingestSources({ routes, commands }: Pick<Scheme, "routes" | "commands">): IngestSources {
  if (commands === undefined) return routes;
  return new Map<string, IngestSource>([...routes, [repliesRoute, repliesSource(commands)]]);
}

/** The AWS IoT SQL of a rule. Only a `where` of the route's own looks at the payload. */
export function ingestStatement(route: IngestSource): string {
  const list = [`'${route.name}' AS route`, ...Object.entries(columns).map(([name, sql]) => `${sql} AS ${name}`)];
  const where = route.where === undefined ? "" : ` WHERE ${route.where}`;
  return `SELECT ${list.join(", ")} FROM '${route.topic.filter}'${where}`;
}

/** What the topic rule of the relay's frames hands to `forward`. As payload-independent as that of a route. */
export interface IngestFrame {
  /** The frame's bytes, in base64. */
  readonly frame: string;
  /** MQTT client id of the relay's connection. Absent where there was none. */
  readonly broker?: string;
}

/** The AWS IoT SQL of the rule that takes frames. It has no FROM: only Basic Ingest leads to it. */
export const framesStatement = "SELECT encode(*, 'base64') AS frame, clientid() AS broker";

/** Where the relay publishes frames. */
export function framesTopic(framesRuleName: string): string {
  return basicIngestTopic(framesRuleName, "frames");
}

/** The topic by which a bridge hands a message straight to one rule (Basic Ingest), which AWS does not charge for. */
export function basicIngestTopic(ruleName: string, topic: string): string {
  return `$aws/rules/${ruleName}/${topic}`;
}
