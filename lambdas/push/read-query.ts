import type * as z from "zod";
import { quote } from "../../scheme/message-error.ts";
import { PushError } from "./push-error.ts";

/**
 * Reads a query. A parameter that comes twice, or that nobody knows, is refused: a `wiat` that is passed over in silence
 * is found late.
 *
 * @param query Without its question mark.
 * @throws {PushError} `WAIT_INVALID`, `REQUEST_INVALID`
 */
export function readQuery<Schema extends z.ZodObject>(query: string, schema: Schema): z.output<Schema> {
  const input: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) {
    if (!Object.hasOwn(schema.shape, name)) {
      throw new PushError("REQUEST_INVALID", `the query's ${quote(name)} is unknown`);
    }
    if (name in input) throw refuse(name, `the query's ${quote(name)} comes twice`);
    input[name] = value;
  }
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  const [issue] = error.issues;
  const name = String(issue?.path[0]);
  throw refuse(name, `the query's ${quote(name)} is ${quote(input[name] ?? "")}: ${issue?.message}`);
}

function refuse(name: string, detail: string): PushError {
  return new PushError(name === "wait" ? "WAIT_INVALID" : "REQUEST_INVALID", detail);
}
