import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { matchesFilter } from "../scheme/topic-filter.ts";
import { type Case, type CaseContext, messageOf, runCase } from "./cases.ts";
import { compileStatement } from "./compile.ts";
import type { SqlVersion } from "./context.ts";
import { SqlError } from "./errors.ts";

const USAGE = `Evaluates AWS IoT SQL, or runs cases of it.

  npm run sql -- "SELECT temperature AS t FROM 'sensors/+'" --topic sensors/1 --payload '{"temperature": 60}'
  npm run sql -- --cases my-rules.json

  --topic TOPIC          the topic that the message came on; needed where the statement has FROM
  --payload TEXT         the payload; {} when there is none
  --payload-file FILE    the payload's bytes
  --context JSON         clientId, timestamp, userProperties … as in a case
  --sql-version VERSION  2016-03-23 (default) or 2015-10-08
  --cases FILE           a JSON array of cases; ends with the line "N passed, M failed"

What a statement gives is printed as JSON, or as "no match" or "Undefined". The exit code is 0 when there is
an output or a reason why there is none, 1 when the statement is refused or a case fails, 2 for wrong options.`;

/** Wrong options, or a file that cannot be used. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

process.exitCode = run();

function run(): number {
  try {
    const { values, positionals } = readArguments();
    if (values.help === true || process.argv.length <= 2) {
      console.log(USAGE);
      return 0;
    }
    if (values.cases !== undefined) return runCases(values.cases);
    const [sql, superfluous] = positionals;
    if (sql === undefined) throw new UsageError("there is no statement");
    if (superfluous !== undefined) throw new UsageError(`one statement at a time: what is ${superfluous}?`);
    return evaluate(sql, values);
  } catch (error) {
    if (error instanceof SqlError) {
      console.error(`${error.code}: ${error.message}`);
      return 1;
    }
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

interface Options {
  readonly topic?: string | undefined;
  readonly payload?: string | undefined;
  readonly "payload-file"?: string | undefined;
  readonly context?: string | undefined;
  readonly "sql-version"?: string | undefined;
}

function readArguments() {
  const text = { type: "string" } as const;
  const options = {
    ...{ topic: text, payload: text, "payload-file": text, context: text, "sql-version": text, cases: text },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(messageOfError(error));
  }
}

function evaluate(sql: string, options: Options): number {
  const context = readContext(options.context);
  const version = (options["sql-version"] ?? context.sqlVersion ?? "2016-03-23") as SqlVersion;
  const statement = compileStatement(sql, { version });
  const { topic, "payload-file": file, payload = "{}" } = options;
  if (topic === undefined && statement.topicFilter !== undefined) throw new UsageError("--topic is missing");
  const message = messageOf({ topic: topic ?? "", payload: {}, context: { timestamp: Date.now(), ...context } });
  const bytes = file === undefined ? Buffer.from(payload, "utf8") : read(file);
  const isSelected = statement.topicFilter === undefined || matchesFilter(statement.topicFilter, message.topic);
  const evaluation = isSelected ? statement.evaluate({ ...message, payload: bytes }) : { kind: "noMatch" as const };
  switch (evaluation.kind) {
    case "noMatch":
      console.log(isSelected ? "no match: WHERE is not true" : "no match: FROM does not select the topic");
      return 0;
    case "undefined":
      console.log("Undefined");
      return 0;
    case "json":
      console.log(JSON.stringify(evaluation.value, undefined, 2));
      return 0;
    case "raw":
      // Nothing but the payload's bytes, so that they may go into a file.
      process.stdout.write(evaluation.bytes);
      if (process.stdout.isTTY) process.stdout.write("\n");
      return 0;
    default:
      return evaluation satisfies never;
  }
}

function readContext(json: string | undefined): CaseContext {
  if (json === undefined) return {};
  const context = parse(json, "--context");
  if (typeof context !== "object" || context === null) throw new UsageError("--context is not a JSON object");
  return context;
}

function runCases(file: string): number {
  const cases = parse(read(file).toString("utf8"), file);
  if (!Array.isArray(cases)) throw new UsageError(`${file} is not a JSON array of cases`);
  let failed = 0;
  for (const [place, example] of cases.entries()) {
    if (!isCase(example)) throw new UsageError(`case ${place + 1} of ${file} needs sql, topic, payload and expect`);
    if (!report(example, place)) failed += 1;
  }
  console.log(`${cases.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function isCase(example: unknown): example is Case {
  return (
    typeof example === "object" &&
    example !== null &&
    ["sql", "topic"].every((key) => typeof Reflect.get(example, key) === "string") &&
    ["payload", "expect"].every((key) => key in example)
  );
}

/** Prints a case that fails. @returns whether it passes */
function report(example: Case, place: number): boolean {
  const { passes, actual, actualTemplate, error } = runCase(example);
  if (passes) return true;
  console.log(`failed: ${example.id ?? `case ${place + 1}`}`);
  console.log(`  statement  ${example.sql}`);
  console.log(`  expected   ${JSON.stringify(example.expect)}`);
  console.log(`  actual     ${JSON.stringify(actual)}`);
  if (example.template !== undefined) {
    console.log(`  template   ${example.template}`);
    console.log(`  expected   ${JSON.stringify(example.expectTemplate)}`);
    console.log(`  actual     ${JSON.stringify(actualTemplate)}`);
  }
  if (error !== undefined) console.log(`${error.code}: ${error.message}`.replaceAll(/^/gm, "  "));
  return false;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(messageOfError(error));
  }
}

function parse(json: string, source: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(`${source}: ${messageOfError(error)}`);
  }
}

function messageOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
