import { compileStatement, type Statement } from "../compile.ts";
import { SqlError } from "../errors.ts";
import type { Message } from "../message.ts";
import { parseStatement } from "../parser.ts";
import { print } from "../print.ts";
import { forgetPatterns } from "../regexp/pattern.ts";
import { randomPayload } from "./payloads.ts";
import { Random } from "./random.ts";
import { randomStatement } from "./statements.ts";

/** What something took, and how to have it again: `--seed` of this run alone. */
export interface Timing {
  readonly cpuMs: number;
  readonly sql: string;
  readonly payload: string;
}

export interface FuzzReport {
  readonly runs: number;
  /** Statements that compiled. */
  readonly compiled: number;
  readonly evaluations: number;
  readonly crashes: readonly string[];
  /** The evaluations that took most; each the least of its re-runs. */
  readonly slowest: readonly Timing[];
  /** The statement that took the longest to be compiled or refused. */
  readonly slowestCompilation: Timing;
}

interface Candidate extends Timing {
  readonly statement: Statement;
  readonly message: Message;
}

/** How many evaluations are run again. */
const KEPT = 10;
const RE_RUNS = 3;
/** A new statement is made for one run, and sees the payload of that run and of the ones before it. */
const MESSAGES_PER_STATEMENT = 2;

/** Compiles random statements, and evaluates random payloads with those that compile. */
export function fuzz(runs: number, seed: number): FuzzReport {
  const crashes: string[] = [];
  let slowest: Candidate[] = [];
  let slowestCompilation: Timing = { cpuMs: 0, sql: "", payload: "" };
  let compiled = 0;
  let evaluations = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = new Random(seed + run);
    const sql = randomStatement(random);
    try {
      const { result: statement, cpuMs } = timed(() => compile(sql));
      if (cpuMs > slowestCompilation.cpuMs) {
        const least = again(cpuMs, () => compile(sql));
        if (least > slowestCompilation.cpuMs) slowestCompilation = { cpuMs: least, sql, payload: "" };
      }
      if (statement === undefined) continue;
      compiled += 1;
      for (let count = 0; count < MESSAGES_PER_STATEMENT; count += 1) {
        const message = messageOf(random);
        const timing = timed(() => evaluate(statement, message));
        evaluations += 1;
        if (slowest.length < KEPT || timing.cpuMs > (slowest.at(-1)?.cpuMs ?? 0)) {
          const payload = Buffer.from(message.payload).toString("base64");
          slowest.push({ cpuMs: confirmed(timing.cpuMs, statement, message), sql, payload, statement, message });
          slowest = slowest.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, KEPT);
        }
      }
    } catch (error) {
      crashes.push(`seed ${seed + run}: ${sql}\n${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  return { runs, compiled, evaluations, crashes, slowest, slowestCompilation };
}

/** @returns undefined for a statement that is refused; what is not refused has to print and parse to itself. */
function compile(sql: string): Statement | undefined {
  let statement: Statement;
  try {
    statement = compileStatement(sql, { version: "2016-03-23" });
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    if (error.code === "SQL_SYNTAX" && error.expected === undefined) throw new Error(`expected what? ${error.message}`);
    return undefined;
  }
  const printed = print(parseStatement(sql));
  if (print(parseStatement(printed)) !== printed) throw new Error(`printed as ${printed}`);
  return statement;
}

/** The output has to be JSON: what is not finite would be null there. */
function evaluate(statement: Statement, message: Message): void {
  const evaluation = statement.evaluate(message);
  if (evaluation.kind === "json") checkNumbers(evaluation.value);
}

function checkNumbers(value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`the output has ${value}`);
  if (typeof value === "object" && value !== null) {
    for (const key in value) if (Object.hasOwn(value, key)) checkNumbers(Reflect.get(value, key));
  }
}

function messageOf(random: Random): Message {
  return {
    topic: random.pick(["a/b", "a", "a/b/c/d", ""]),
    payload: randomPayload(random),
    timestampMs: 1_700_000_000_000,
    traceId: "a2c5a3d2-0b6e-4c3a-9f53-2b8b7c1f0e11",
    protocol: random.pick([undefined, "mqtt", "http"]),
    userProperties: random.list(2, () => ["k", "v"] as const),
  };
}

/** Processor time of this process, the collector's and the compiler's threads included: that of others does not count. */
function timed<T>(run: () => T): { result: T; cpuMs: number } {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1000 };
}

/** The least of the first time and three more: a pause of the collector does not come four times. */
function again(first: number, run: () => void): number {
  return Math.min(first, ...Array.from({ length: RE_RUNS }, () => timed(run).cpuMs));
}

function confirmed(first: number, statement: Statement, message: Message): number {
  return again(first, () => {
    // Patterns of the payload are compiled anew every time.
    forgetPatterns();
    evaluate(statement, message);
  });
}
