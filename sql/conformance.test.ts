import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { matchesFilter } from "../scheme/topic-filter.ts";
import { compileStatement, type Evaluation, type Statement } from "./compile.ts";
import type { SqlVersion } from "./context.ts";
import { SqlError, type SqlErrorCode } from "./errors.ts";
import cases from "./fixtures/aws-iot-sql.json" with { type: "json" };
import type { Message, MqttProperties } from "./message.ts";
import { compileTemplate, type Template } from "./template.ts";

/** How many cases the dialect covers so far; it only rises. */
const PASSING = 675;

/** No answer: the statement, or the case's substitution template, is refused as not covered. */
const NOT_COVERED = Symbol("not covered");

interface Case {
  readonly id: string;
  readonly sql: string;
  readonly topic: string;
  readonly payload: unknown;
  readonly context?: CaseContext;
  readonly expect: unknown;
  readonly alternatives?: readonly unknown[];
  readonly tolerance?: number;
  readonly template?: string;
  readonly expectTemplate?: string;
}

interface CaseContext {
  readonly clientId?: string;
  readonly principal?: string;
  readonly timestamp?: number;
  readonly traceId?: string;
  readonly accountId?: string;
  readonly sourceIp?: string;
  readonly protocol?: "mqtt" | "http";
  readonly sqlVersion?: SqlVersion;
  readonly ruleName?: string;
  readonly mqttProperties?: MqttProperties;
  readonly userProperties?: readonly (readonly [string, string])[];
}

const outcomes = new Map<string, unknown>();

test.for(cases as unknown as readonly Case[])("$id: $sql", (example) => {
  const outcome = run(example);
  outcomes.set(example.id, outcome);
  if (outcome === NOT_COVERED) return;
  const accepted = [example.expect, ...(example.alternatives ?? [])];
  const isAccepted = accepted.some((expected) => isClose(outcome, expected, example.tolerance ?? 0));
  // The comparison that fails shows both values.
  if (!isAccepted) expect(outcome).toEqual(example.expect);
});

test("covers as many cases as it did before", () => {
  const refused = [...outcomes.values()].filter((outcome) => outcome === NOT_COVERED).length;
  const passed = outcomes.size - refused;
  console.log(`sql conformance: ${passed} of ${cases.length} pass, ${refused} refused as not yet supported`);
  expect(outcomes.size).toBe(cases.length);
  expect(passed).toBeGreaterThanOrEqual(PASSING);
});

/** What the engine does with a message, in the notation of the cases. */
function run(example: Case): unknown {
  const compiled = compile(example);
  if (compiled === undefined) return isInvalid(example) ? example.expect : NOT_COVERED;
  const { statement, template } = compiled;
  const topic = ruleTopic(example);
  const { topicFilter } = statement;
  if (topic === undefined || (topicFilter !== undefined && !matchesFilter(topicFilter, topic))) {
    return { $nomatch: true };
  }
  const message = toMessage(example, topic);
  expect(template?.(message)).toBe(example.expectTemplate);
  return describeEvaluation(statement.evaluate(message), example.expect);
}

/** Undefined when statement or template are refused: because they have to be, or as not covered yet. */
function compile(example: Case): { statement: Statement; template: Template | undefined } | undefined {
  const options = { version: example.context?.sqlVersion ?? "2016-03-23" } as const;
  try {
    const statement = compileStatement(example.sql, options);
    const template = example.template === undefined ? undefined : compileTemplate(example.template, options);
    return { statement, template };
  } catch (error) {
    expect(error).toBeInstanceOf(SqlError);
    const notYet: SqlErrorCode[] = ["SQL_UNSUPPORTED", "SQL_UNKNOWN_FUNCTION"];
    expect(isInvalid(example) ? ["SQL_SYNTAX", ...notYet] : notYet).toContain((error as SqlError).code);
    return undefined;
  }
}

function isInvalid({ expect: expected }: Case): boolean {
  return typeof expected === "object" && expected !== null && "$invalid" in expected;
}

/** The topic without Basic Ingest's prefix; undefined when the prefix names another rule. */
function ruleTopic({ topic, context }: Case): string | undefined {
  if (context?.ruleName === undefined) return topic;
  const prefix = `$aws/rules/${context.ruleName}/`;
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
}

function toMessage({ payload, context = {} }: Case, topic: string): Message {
  const { timestamp = 1_700_000_000_000, traceId = "a2c5a3d2-0b6e-4c3a-9f53-2b8b7c1f0e11", ...rest } = context;
  return { ...rest, topic, payload: toBytes(payload), timestampMs: timestamp, traceId };
}

function toBytes(payload: unknown): Uint8Array {
  if (typeof payload === "object" && payload !== null) {
    if ("$utf8" in payload) return Buffer.from(String(payload.$utf8), "utf8");
    if ("$base64" in payload) return Buffer.from(String(payload.$base64), "base64");
  }
  return Buffer.from(JSON.stringify(payload), "utf8");
}

function describeEvaluation(evaluation: Evaluation, expected: unknown): unknown {
  switch (evaluation.kind) {
    case "noMatch":
      return { $nomatch: true };
    case "undefined":
      return { $undefined: true };
    case "json":
      return JSON.parse(JSON.stringify(evaluation.value));
    case "raw":
      return describeBytes(Buffer.from(evaluation.bytes), expected);
    default:
      return evaluation satisfies never;
  }
}

/** Bytes in the notation that the case expects: raw, text, or the JSON that they spell. */
function describeBytes(bytes: Buffer, expected: unknown): unknown {
  if (typeof expected === "object" && expected !== null) {
    if ("$base64" in expected) return { $base64: bytes.toString("base64") };
    if ("$utf8" in expected) return { $utf8: bytes.toString("utf8") };
  }
  return JSON.parse(bytes.toString("utf8"));
}

/** Deep equality without regard to key order; numbers may differ by the tolerance. */
function isClose(actual: unknown, expected: unknown, tolerance: number): boolean {
  if (typeof actual === "number" && typeof expected === "number") return Math.abs(actual - expected) <= tolerance;
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
    return actual === expected;
  }
  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  const keys = Object.keys(expected);
  if (keys.length !== Object.keys(actual).length) return false;
  return keys.every(
    (key) => Object.hasOwn(actual, key) && isClose(Reflect.get(actual, key), Reflect.get(expected, key), tolerance),
  );
}
