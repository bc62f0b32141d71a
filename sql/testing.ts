import { Buffer } from "node:buffer";
import { compileStatement, type Evaluation } from "./compile.ts";
import { SqlError } from "./errors.ts";
import type { Message } from "./message.ts";

/** A message for tests; a payload that is not a string or bytes is written as JSON. */
export function createMessage(payload: unknown = {}, rest: Partial<Message> = {}): Message {
  const isBytes = payload instanceof Uint8Array;
  return {
    topic: "a/b",
    payload: isBytes ? payload : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    timestampMs: 1_700_000_000_000,
    traceId: "a2c5a3d2-0b6e-4c3a-9f53-2b8b7c1f0e11",
    ...rest,
  };
}

export function evaluate(sql: string, payload?: unknown, rest?: Partial<Message>): Evaluation {
  return compileStatement(sql, { version: "2016-03-23" }).evaluate(createMessage(payload, rest));
}

/** The output's JSON text; the kind of evaluation where there is none. */
export function evaluateToJson(sql: string, payload?: unknown, rest?: Partial<Message>): string {
  const evaluation = evaluate(sql, payload, rest);
  return evaluation.kind === "json" ? JSON.stringify(evaluation.value) : evaluation.kind;
}

/** @throws when the statement compiles */
export function refusal(sql: string, version: "2016-03-23" | "2015-10-08" = "2016-03-23"): SqlError {
  try {
    compileStatement(sql, { version });
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
  throw new Error(`this statement compiles: ${sql}`);
}
