import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { expect } from "vitest";
import { type PushOperationId, pushOperations } from "../../scheme/command/push-operations.ts";
import { defineScheme } from "../../scheme/define-scheme.ts";
import type { Commands } from "../commands/commands.ts";
import { openFeeds } from "../commands/feeds.ts";
import { openCommands } from "../commands/open-commands.ts";
import { startCommands } from "../commands/testing.ts";
import { IdempotencyKeys } from "../store/idempotency-keys.ts";
import { operationDocs, problemsOf } from "./operation-docs.ts";
import { createPush, type PushOptions } from "./push.ts";
import { Report } from "./report.ts";
import { problem } from "./response-schemas.ts";
import { findOperation } from "./router.ts";

export const testScheme = defineScheme({
  name: "test",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
  commands: { topic: "commands/{deviceId}", replies: "replies/{deviceId}" },
  feeds: { orders: { topic: "orders/{orderId}" } },
  brokers: [{ url: "mqtts://broker.example.com" }],
});

/** A request as its caller sends it. */
export interface TestRequest {
  /** `POST` by default. */
  readonly method?: string;
  /** Percent-encoded, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is no text or bytes is made JSON. */
  readonly body?: unknown;
  readonly caller?: string;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for.
  readonly json: any;
}

/** The event that API Gateway makes of a request. */
export function eventOf({
  method = "POST",
  path,
  headers = {},
  body,
  caller = "arn:aws:iam::1:user/api",
}: TestRequest) {
  const [rawPath = "", ...query] = path.split("?");
  const isText = typeof body === "string" || body instanceof Uint8Array;
  const bytes = body === undefined ? undefined : Buffer.from(isText ? body : JSON.stringify(body));
  const decoded = decodeURIComponent(rawPath);
  const event = {
    version: "2.0",
    routeKey: "$default",
    rawPath: decoded,
    rawQueryString: query.join("?"),
    headers: { ...(bytes === undefined ? {} : { "content-type": "application/json" }), ...headers },
    requestContext: {
      http: { method, path: decoded, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
      ...{ accountId: "1", apiId: "a", domainName: "a.example.com", domainPrefix: "a", requestId: "r" },
      ...{ routeKey: "$default", stage: "$default", time: "", timeEpoch: 0 },
      authorizer: { iam: { userArn: caller } },
    },
    ...(bytes === undefined ? {} : { body: bytes.toString("base64") }),
    isBase64Encoded: bytes !== undefined,
  };
  return event as APIGatewayProxyEventV2;
}

/** The endpoint over a ledger of the test's own and brokers in memory. Every answer is checked against its document. */
export async function startPush({ client, ...change }: Partial<PushOptions & { client: DynamoDBDocumentClient }> = {}) {
  const started = await startCommands();
  const ledger = { ...started.options, ...(client === undefined ? {} : { client }) };
  const lines: Record<string, unknown>[] = [];
  const log = (text: unknown, ...[line]: readonly unknown[]) => void lines.push({ text, ...(line as object) });
  const metrics: string[] = [];
  const options: PushOptions = {
    commands: openCommands(ledger),
    feeds: openFeeds(started.brokers),
    scheme: testScheme,
    keys: new IdempotencyKeys(ledger.client, ledger.table, started.now),
    now: started.now,
    report: new Report({ logger: { info: log, error: log }, metrics: textMetrics(metrics) }),
    onForgotten: (error) => started.errors.push(`${error}`),
    ...change,
  };
  return { ...started, ask: createAsk(options), lines, metrics, options, commandsOptions: ledger };
}

/** The same, with commands that do something otherwise. */
export async function startPushWith(change: (commands: Commands) => Partial<Commands>) {
  const started = await startPush();
  const { commands } = started.options;
  if (commands === undefined) throw new Error("the test's scheme has commands");
  const options = { ...started.options, commands: { ...commands, ...change(commands) } };
  return { ...started, ask: createAsk(options), options };
}

/** Asks an endpoint as API Gateway would, and holds its answer against the document. */
export function createAsk(options: PushOptions): (request: TestRequest) => Promise<TestAnswer> {
  const push = createPush(options);
  return async (request) => {
    const event = eventOf(request);
    const { statusCode: status = 0, headers = {}, body: text = "" } = await push(event);
    const answer = { status, headers: headers as Record<string, string>, text, json: JSON.parse(text) };
    checkAnswer(request.method ?? "POST", event.rawPath, answer);
    return answer;
  };
}

/** Whether an answer is one that the document has: its status, its schema, its problem's code. */
function checkAnswer(method: string, path: string, { status, headers, json }: TestAnswer): void {
  const operation = operationOf(method, path);
  if (status >= 400) {
    expect(headers["content-type"]).toBe("application/problem+json");
    const { code } = problem.parse(json);
    expect(json.status).toBe(status);
    if (operation !== undefined) expect(problemsOf(operationDocs[operation])).toContain(code);
    return;
  }
  expect(headers["content-type"]).toBe("application/json");
  const doc = operation && operationDocs[operation].answers[status];
  if (doc === undefined) expect.fail(`${operation} answers ${status}, which its document does not have`);
  doc.schema?.parse(json);
}

function operationOf(method: string, path: string): PushOperationId | undefined {
  try {
    return findOperation({ method, path }).operation;
  } catch {
    return undefined;
  }
}

/** Metrics as a line of text each. */
function textMetrics(lines: string[]) {
  const pending: string[] = [];
  const metrics = {
    addDimension: (_name: string, value: string) => void pending.push(value),
    addMetric: (name: string, _unit: string, value: number) => void pending.push(`${name}=${value}`),
    publishStoredMetrics: () => void lines.push(pending.splice(0).join(" ")),
  };
  return metrics as unknown as ConstructorParameters<typeof Report>[0]["metrics"];
}

/** The path of an operation with the placeholders filled in. */
export function pathOf(operation: PushOperationId, parameter = "d1"): string {
  return pushOperations[operation].path.replace(/\{\w+\}/, () => encodeURIComponent(parameter));
}
