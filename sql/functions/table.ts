import { collectionFunctions } from "./collections.ts";
import { encodingFunctions } from "./encoding.ts";
import type { FunctionTable, SqlFunction } from "./function.ts";
import { messageFunctions } from "./message.ts";
import { numberFunctions } from "./numbers.ts";
import { textFunctions } from "./text.ts";

/** Adding a function is one line in one of these tables and its rows in a test. */
const TABLES: readonly FunctionTable[] = [
  collectionFunctions,
  encodingFunctions,
  messageFunctions,
  numberFunctions,
  textFunctions,
];

const FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(TABLES.flatMap((table) => Object.entries(table)));

/** @param name in lower case */
export function findFunction(name: string): SqlFunction | undefined {
  return FUNCTIONS.get(name);
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

/** Functions of AWS IoT SQL that are not written yet. */
export const PENDING_FUNCTIONS: ReadonlySet<string> = new Set([
  "md2",
  "parse_time",
  "regexp_matches",
  "regexp_replace",
  "regexp_substr",
  "time_to_epoch",
]);
