import { Buffer } from "node:buffer";
import { matchesFilter } from "../scheme/topic-filter.ts";
import { compileStatement, type Evaluation } from "./compile.ts";
import type { SqlVersion } from "./context.ts";
import { SqlError } from "./errors.ts";
import type { Message } from "./message.ts";
import { compileTemplate } from "./template.ts";

/** One case of a rule's behaviour: a statement, a message, and what comes of them. */
export interface Case {
  readonly id?: string;
  readonly sql: string;
  readonly topic: string;
  /** A JSON value, `{"$utf8": …}` or `{"$base64": …}`. */
  readonly payload: unknown;
  readonly context?: CaseContext;
  /** The output; `{"$nomatch": true}`, `{"$undefined": true}`, `{"$invalid": true}`, or raw as `$utf8` or `$base64`. */
  readonly expect: unknown;
  /** Outputs that are as good. */
  readonly alternatives?: readonly unknown[];
  /** How far numbers may be off. */
  readonly tolerance?: number;
  readonly template?: string;
  readonly expectTemplate?: string;
}

export interface CaseContext extends Partial<Omit<Message, "topic" | "payload" | "timestampMs">> {
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
  /** 2016-03-23 when absent. */
  readonly sqlVersion?: SqlVersion;
  /** The message came by Basic Ingest, to this rule. */
  readonly ruleName?: string;
}

/** What a case gave. */
export interface CaseResult {
  readonly passes: boolean;
  readonly actual: unknown;
  /** The template's text, where the case has one and the statement compiles. */
  readonly actualTemplate?: string;
  /** Why statement or template are refused. */
  readonly error?: SqlError;
}

const DEFAULT_TIMESTAMP_MS = 1_700_000_000_000;
const DEFAULT_TRACE_ID = "a2c5a3d2-0b6e-4c3a-9f53-2b8b7c1f0e11";

/** Runs a case. A statement that is refused gives `{"$invalid": true}`, and the error. */
export function runCase(example: Case): CaseResult {
  try {
    const { actual, actualTemplate } = evaluate(example);
    const accepted = [example.expect, ...(example.alternatives ?? [])];
    const isAccepted = accepted.some((expected) =>
      isClose(inNotationOf(actual, expected), expected, example.tolerance),
    );
    const isTemplateAccepted = example.expectTemplate === actualTemplate;
    return {
      passes: isAccepted && isTemplateAccepted,
      actual: inNotationOf(actual, example.expect),
      ...(actualTemplate === undefined ? {} : { actualTemplate }),
    };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const actual = { $invalid: true };
    return { passes: isClose(actual, example.expect), actual, error };
  }
}

/** The message that a case tells, and what is told of messages elsewhere in this notation. */
export function messageOf({ payload, topic, context = {} }: Pick<Case, "payload" | "topic" | "context">): Message {
  const {
    timestamp = DEFAULT_TIMESTAMP_MS,
    traceId = DEFAULT_TRACE_ID,
    sqlVersion: _,
    ruleName: __,
    ...rest
  } = context;
  return { ...rest, topic, payload: toBytes(payload), timestampMs: timestamp, traceId };
}

/** An output in JSON, for people and for comparisons. */
export function describeEvaluation(evaluation: Evaluation): unknown {
  switch (evaluation.kind) {
    case "noMatch":
      return { $nomatch: true };
    case "undefined":
      return { $undefined: true };
    case "json":
      return JSON.parse(JSON.stringify(evaluation.value));
    case "raw":
      return Buffer.from(evaluation.bytes);
    default:
      return evaluation satisfies never;
  }
}

function evaluate(example: Case): { actual: unknown; actualTemplate?: string | undefined } {
  const version = example.context?.sqlVersion ?? "2016-03-23";
  const statement = compileStatement(example.sql, { version });
  const { topicFilter, variables } = statement;
  const template =
    example.template === undefined ? undefined : compileTemplate(example.template, { version, variables });
  const topic = ruleTopic(example);
  if (topic === undefined || (topicFilter !== undefined && !matchesFilter(topicFilter, topic))) {
    return { actual: { $nomatch: true } };
  }
  const message = messageOf({ ...example, topic });
  const evaluation = statement.evaluate(message);
  const values = evaluation.kind === "noMatch" ? [] : (evaluation.variables ?? []);
  return { actual: describeEvaluation(evaluation), actualTemplate: template?.(message, values) };
}

/** The topic without Basic Ingest's prefix; undefined when the prefix names another rule. */
function ruleTopic({ topic, context }: Case): string | undefined {
  if (context?.ruleName === undefined) return topic;
  const prefix = `$aws/rules/${context.ruleName}/`;
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
}

function toBytes(payload: unknown): Uint8Array {
  if (typeof payload === "object" && payload !== null) {
    if ("$utf8" in payload) return Buffer.from(String(payload.$utf8), "utf8");
    if ("$base64" in payload) return Buffer.from(String(payload.$base64), "base64");
  }
  return Buffer.from(JSON.stringify(payload), "utf8");
}

/** Bytes as the case tells them: raw, text, or the JSON that they spell. */
function inNotationOf(actual: unknown, expected: unknown): unknown {
  if (!(actual instanceof Buffer)) return actual;
  if (typeof expected === "object" && expected !== null && "$base64" in expected) {
    return { $base64: actual.toString("base64") };
  }
  const text = actual.toString("utf8");
  if (typeof expected === "object" && expected !== null && "$utf8" in expected) return { $utf8: text };
  try {
    return JSON.parse(text);
  } catch {
    return { $utf8: text };
  }
}

/** Deep equality without regard to key order; numbers may differ by the tolerance. */
function isClose(actual: unknown, expected: unknown, tolerance = 0): boolean {
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
