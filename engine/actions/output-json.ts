import type { RuleOutput } from "./action.ts";

/**
 * Bytes of an output in JSON. Twice what a message of 128 KiB has in base64, with room for what stands beside it: more
 * is a rule that multiplies what it is sent. AWS has the limits of each action's service instead, 256 KiB in most.
 */
const maxOutputBytes = 262_144;

/** A selected value as JSON text. @throws {Error} `RULE_OUTPUT_TOO_LARGE`, which is the error action's to have. */
export function outputJson({ value }: Extract<RuleOutput, { kind: "json" }>, isReport: boolean): string {
  const json = JSON.stringify(value);
  // A report holds the whole message that failed, and is the last that anybody hears of it.
  // A UTF-16 unit is at most 3 bytes of UTF-8: most outputs need no count.
  const bytes = isReport || json.length * 3 <= maxOutputBytes ? 0 : Buffer.byteLength(json);
  if (bytes <= maxOutputBytes) return json;
  throw new Error(`RULE_OUTPUT_TOO_LARGE: the output has ${bytes} bytes of JSON, more than ${maxOutputBytes}`);
}
