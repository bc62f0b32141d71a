import type * as z from "zod";
import { quote } from "../../scheme/message-error.ts";
import type { Fault } from "./push-error.ts";

const shownCharacters = 64;

/** What a schema found wrong, with the value that it was found of. */
export function describeIssue(issue: z.core.$ZodIssue): readonly Fault[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: `${quote(key)} is unknown` }));
  }
  return [{ pointer: pointerTo(issue.path), detail: `${show(issue.input)}: ${issue.message}` }];
}

/** A place in a body, printable and not longer than a line (RFC 6901 §6). */
export function pointerTo(path: readonly PropertyKey[]): string {
  const tokens = path.map((key) => {
    const text = String(key).slice(0, shownCharacters).toWellFormed();
    return `/${encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"))}`;
  });
  return `#${tokens.join("")}`;
}

function show(input: unknown): string {
  if (input === undefined) return "nothing";
  if (typeof input === "string") return quote(input);
  if (Array.isArray(input)) return `a list of ${input.length}`;
  return typeof input === "object" && input !== null ? "an object" : String(input);
}
