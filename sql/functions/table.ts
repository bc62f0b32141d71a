import { collectionFunctions } from "./collections.ts";
import { encodingFunctions } from "./encoding.ts";
import type { FunctionTable, SqlFunction } from "./function.ts";
import { messageFunctions } from "./message.ts";
import { numberFunctions } from "./numbers.ts";
import { regexpFunctions } from "./regexp.ts";
import { textFunctions } from "./text.ts";
import { timeFunctions } from "./time.ts";

/** Adding a function is one line in one of these tables and its rows in a test. */
const TABLES: readonly FunctionTable[] = [
  collectionFunctions,
  encodingFunctions,
  messageFunctions,
  numberFunctions,
  regexpFunctions,
  textFunctions,
  timeFunctions,
];

const FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(TABLES.flatMap((table) => Object.entries(table)));

/** @param name in lower case */
export function findFunction(name: string): SqlFunction | undefined {
  return FUNCTIONS.get(name);
}

/** In lower case; without those that call a service. */
export function functionNames(): readonly string[] {
  return [...FUNCTIONS.keys()];
}

/** The function that was probably meant: one whose name differs by a letter or two, or in underscores only. */
export function similarFunction(name: string): string | undefined {
  const plain = (text: string) => text.replaceAll("_", "");
  const names = [...FUNCTIONS.keys(), ...SERVICE_FUNCTIONS.keys()];
  const same = names.find((each) => plain(each) === plain(name));
  if (same !== undefined || name.length < 3 || name.length > 40) return same;
  const [best] = names
    .map((each) => ({ each, distance: editDistance(each, name) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.min(2, name.length - 2) ? best.each : undefined;
}

/** Letters to be added, removed or replaced (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const letter of from) {
    const next = [(row[0] ?? 0) + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** Functions that call an AWS service, and the service that is not there. */
export const SERVICE_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["aws_lambda", "AWS Lambda"],
  ["get_dynamodb", "Amazon DynamoDB"],
  ["get_registry_data", "the AWS IoT registry"],
  ["get_secret", "AWS Secrets Manager"],
  ["get_thing_shadow", "the AWS IoT Device Shadow service"],
  ["machinelearning_predict", "Amazon Machine Learning"],
]);
